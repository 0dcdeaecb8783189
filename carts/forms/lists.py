"""What the address of a list asks for."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold import widgets


class ListFilter(forms.Form):
    """A search and a state; both may be empty. A state that is none of `states` is taken for empty."""

    search = forms.CharField(
        required=False, max_length=200, widget=widgets.UnfoldAdminTextInputWidget({"type": "search"})
    )
    state = forms.CharField(required=False)

    def __init__(self, data: Any, states: Mapping[str, str], search_label: str) -> None:
        super().__init__(data)
        self._states = states
        self.fields["search"].label = search_label
        choices = [("", "Any state"), *states.items()]
        self.fields["state"].label = "State"
        self.fields["state"].widget = widgets.UnfoldAdminSelectWidget(choices=choices)
        self.is_valid()

    @property
    def chosen(self) -> tuple[str, str]:
        """(search, state)."""
        state = self.cleaned_data.get("state", "")
        return self.cleaned_data.get("search", ""), state if state in self._states else ""
