"""Forms of the back office: stock adjustments, customers with their addresses."""

from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from backoffice.models import Customer
from backoffice.text import normalise_email, plain_number
from backoffice.types import QUANTITY_DECIMALS, Address

ADDRESS_PARTS = tuple(field.name for field in fields(Address))
LABELS = {"address_1": "Street", "address_2": "Street, second line", "state": "State or province"}
ADDRESS_PART_LENGTH = 200


class PlainDecimalWidget(UnfoldAdminDecimalFieldWidget):
    """18.5 where the database gives 18.5000."""

    def format_value(self, value: Any) -> str | None:
        return plain_number(value, 2).replace(",", "") if isinstance(value, Decimal) else super().format_value(value)


class AdjustmentForm(forms.Form):
    quantity = forms.DecimalField(
        label="Change on hand by",
        max_digits=10 + QUANTITY_DECIMALS,
        decimal_places=QUANTITY_DECIMALS,
        help_text="What came in; with a minus, what left.",
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )
    note = forms.CharField(
        max_length=250, help_text="Why: it stands in the stock ledger.", widget=UnfoldAdminTextInputWidget
    )


def address_fields(kind: str) -> list[str]:
    """The form fields of one of a customer's addresses, in the order of an envelope."""
    return [f"{kind}_{part}" for part in ADDRESS_PARTS]


_Addresses = type(
    "_Addresses",
    (forms.Form,),
    {
        name: forms.CharField(
            label=LABELS.get(part, part.replace("_", " ").capitalize()),
            max_length=ADDRESS_PART_LENGTH,
            required=False,
            widget=UnfoldAdminTextInputWidget,
        )
        for kind in ("billing", "shipping")
        for part, name in zip(ADDRESS_PARTS, address_fields(kind), strict=True)
    },
)


class CustomerForm(forms.ModelForm, _Addresses):
    """Each part of an address is a field of its own; the model keeps them as one object."""

    class Meta:
        model = Customer
        fields = ("name", "company", "phone")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for kind in ("billing", "shipping"):
            for part, name in zip(ADDRESS_PARTS, address_fields(kind), strict=True):
                self.initial.setdefault(name, getattr(self.instance, kind).get(part, ""))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for kind in ("billing", "shipping"):
            parts = zip(ADDRESS_PARTS, address_fields(kind), strict=True)
            setattr(self.instance, kind, asdict(Address(**{part: cleaned.get(name, "") for part, name in parts})))
        return cleaned


class EmailFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            email = form.cleaned_data.get("email") if hasattr(form, "cleaned_data") else None
            if not email or form.cleaned_data.get("DELETE"):
                continue
            if normalise_email(email) in seen:
                raise ValidationError(f"{email} stands here twice. Keep one of the two; nothing was saved.")
            seen.add(normalise_email(email))
