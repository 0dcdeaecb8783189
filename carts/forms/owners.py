"""Who owns which field of a cart's items and customers."""

from typing import Any

from django import forms
from unfold import widgets

from carts.choices import Kind, Owner
from carts.fields import LABELS
from carts.models import Cart
from carts.services import pairs


class OwnersForm(forms.Form):
    """One choice a field, named "item.price"."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, cart: Cart, data: Any = None) -> None:
        super().__init__(data)
        self.fields["version"].initial = cart.settings_version
        for kind, labels in LABELS.items():
            owners = pairs.owners_of(cart, Kind(kind))
            for name, label in labels.items():
                self.fields[f"{kind}.{name}"] = forms.ChoiceField(
                    label=label,
                    required=False,  # what is not said is Ask
                    choices=Owner,
                    initial=owners.get(name, Owner.ASK),
                    widget=widgets.UnfoldAdminSelectWidget,
                )

    def of(self, kind: str) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(f"{kind}.")]

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(f"{Kind(kind).label}s", self.of(kind)) for kind in LABELS]

    def owners(self) -> dict[str, str]:
        """Only what differs from the usual."""
        usual = pairs.OWNED_UNLESS_SAID
        chosen = {name: owner or Owner.ASK.value for name, owner in self.cleaned_data.items() if name != "version"}
        return {name: owner for name, owner in chosen.items() if owner != usual.get(name, Owner.ASK)}
