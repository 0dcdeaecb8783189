"""The cart's form. Its labels and help texts are the one description of a setting, in View and in Edit mode."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.urls import reverse_lazy
from unfold import widgets

from carts import gateway, secrets
from carts.models import Cart
from carts.platforms import adapter_class
from carts.services.control import shop_zone

NEXT_VERSION = "The setting is saved; the engine that acts on it comes with the next version."
CREDENTIAL = "credential_"


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that stand together. `to`: which way its records go, for the arrow."""

    title: str
    sentence: str
    names: tuple[str, ...]
    to: str = ""


SECTIONS = (
    Section(
        "Connection",
        "Where the shop is and the key it gave us.",
        ("name", "url", "credentials", "ca_bundle", "notification_emails", "silence_hours"),
    ),
    Section(
        "From Cart",
        "Orders of the shop become PENDING documents here.",
        (
            "import_orders_as",
            "last_order_from",
            "last_update_time",
            "from_customer_updates",
            "from_item_updates",
            "order_statuses",
            "grace_minutes",
            "guest_rule",
            "guest_customer_id",
            "stand_in_item_id",
            "currencies",
            "poll_interval_seconds",
            "requests_in_flight",
        ),
        to="system",
    ),
    Section(
        "To Cart",
        "Our own records change the shop.",
        ("to_customer_updates", "to_stock_updates", "to_item_updates"),
        to="cart",
    ),
)

HELP = {
    "name": "How this shop is called in the panel.",
    "url": "The address of the shop itself, as a buyer opens it.",
    "import_orders_as": "Each order becomes one document of this type, always PENDING: nothing is posted and no stock "
    "moves until somebody approves it.",
    "last_order_from": "An order placed before it is never imported by itself. The date moves on as orders arrive; "
    "what you enter is where the importing begins.",
    "last_update_time": "From when on changes of customers and items are taken. Needed as soon as one of the two "
    "updates below is enabled.",
    "from_customer_updates": f"Customers changed in the shop change here. {NEXT_VERSION}",
    "from_item_updates": f"Items changed in the shop change here. {NEXT_VERSION}",
    "order_statuses": "Orders with another status wait until it changes to one of these.",
    "guest_rule": "Whose document an order without a customer account becomes.",
    "guest_customer_id": "Used where guests share one customer. Empty: one is created with the first such order.",
    "stand_in_item_id": "Offered for lines whose SKU is not among the items.",
    "to_customer_updates": f"Customers changed here change in the shop. {NEXT_VERSION}",
    "to_stock_updates": f"The shop shows the stock that is free to sell. {NEXT_VERSION}",
    "to_item_updates": f"Items changed here change in the shop. {NEXT_VERSION}",
}


class ShopTimeField(forms.DateTimeField):
    """A time as the shop's clock shows it. The value is aware UTC."""

    empty = "Never"

    def __init__(self, *, zone: ZoneInfo, **kwargs: Any) -> None:
        # The browser sends back what it was shown, so that a date that moved on by itself is not taken for an entry.
        super().__init__(show_hidden_initial=True, widget=time_widget(), **kwargs)
        self.zone = zone

    def prepare_value(self, value: Any) -> Any:
        return f"{value.astimezone(self.zone):%Y-%m-%dT%H:%M:%S}" if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            entered = datetime.fromisoformat(text).replace(tzinfo=self.zone)
        except ValueError:
            raise ValidationError("Enter a date and a time, such as 2026-01-31 08:30:00.", code="invalid") from None
        # Where the clocks go back an hour comes twice: the earlier is taken, so that no order is left out.
        moment = entered.astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) != entered.replace(tzinfo=None):
            raise ValidationError(
                f"There is no such time in {self.zone.key}: the clocks were put forward. Enter one an hour later.",
                code="skipped",
            )
        return moment


def time_widget() -> forms.DateTimeInput:
    classes = " ".join(widgets.DATETIME_CLASSES)
    return forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1", "class": classes})


class OursField(forms.CharField):
    """One of our items or customers, typed as its SKU or code, or picked from the suggestions. The value is its id."""

    # A suggestion ends in the id, which names the record whatever else is alike.
    ID = re.compile(r"\[(\d+)\]\s*$")

    def __init__(self, kind: str, **kwargs: Any) -> None:
        suggestions = f"suggest-{kind}"
        attrs = {
            "list": suggestions,
            "autocomplete": "off",
            "hx-get": reverse_lazy("carts:find", args=[kind]),
            "hx-trigger": "input changed delay:200ms",
            "hx-target": f"#{suggestions}",
        }
        super().__init__(widget=widgets.UnfoldAdminTextInputWidget(attrs), **kwargs)
        self.suggestions = suggestions
        self.search: Callable[[str], list[gateway.Ref]] = SEARCH[kind]
        self.refs: Callable[[list[int]], dict[int, gateway.Ref]] = REFS[kind]

    def shown(self, value: int | None) -> str:
        ref = self.refs([value]).get(value) if value else None
        return ref.label if ref else "None"

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        ref = self.refs([value]).get(value)
        return option(ref) if ref else ""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, int) or not value:
            return value or None
        text = super().to_python(value)
        named = self.ID.search(text)
        found = list(self.refs([int(named[1])]).values()) if named else self.search(text)
        if len(found) > 1:
            # "AB-1" begins "AB-10" too; the whole of it is meant.
            found = [ref for ref in found if ref.label.casefold().startswith(f"{text.casefold()} ")] or found
        if len(found) != 1:
            how = "Nothing here begins" if not found else f"{len(found)} records begin"
            raise ValidationError(f"{how} with “{text}”. Type the whole SKU or code, or pick a suggestion.")
        return found[0].id


SEARCH = {"item": gateway.search_items, "customer": gateway.search_customers}
REFS = {"item": gateway.item_refs, "customer": gateway.customer_refs}


def option(ref: gateway.Ref) -> str:
    return f"{ref.label} [{ref.id}]"


class CartForm(forms.ModelForm):
    """Settings and credentials of one cart. Typed credentials are never sent back to the browser."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Cart
        fields = [name for section in SECTIONS for name in section.names if name != "credentials"]
        help_texts = HELP
        field_classes = {}
        widgets = {
            "name": widgets.UnfoldAdminTextInputWidget,
            "ca_bundle": widgets.UnfoldAdminTextInputWidget,
            "currencies": widgets.UnfoldAdminTextInputWidget,
            "notification_emails": widgets.UnfoldAdminTextInputWidget,
            "import_orders_as": widgets.UnfoldAdminSelectWidget,
            "guest_rule": widgets.UnfoldAdminSelectWidget,
            **dict.fromkeys(
                ("silence_hours", "grace_minutes", "poll_interval_seconds", "requests_in_flight"),
                widgets.UnfoldAdminIntegerFieldWidget,
            ),
            **dict.fromkeys((name for name in HELP if name.endswith("_updates")), widgets.UnfoldBooleanWidget),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cart, zone = self.instance, shop_zone(self.instance)
        adapter = adapter_class(cart.platform)
        self.fields["version"].initial = cart.settings_version
        self.fields["url"] = forms.URLField(
            label="Cart Connect URL",
            help_text=HELP["url"],
            assume_scheme="https",
            max_length=500,
            widget=widgets.UnfoldAdminURLInputWidget,
        )
        for name in ("last_order_from", "last_update_time"):
            label = self.fields[name].label
            where = f"{HELP[name]} In the shop's time zone: {zone.key}."
            self.fields[name] = ShopTimeField(zone=zone, label=label, required=False, help_text=where)
        self.fields["order_statuses"] = forms.MultipleChoiceField(
            label="Order statuses to import",
            choices=list(adapter.capabilities.order_statuses.items()),
            widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget,
            required=False,
            help_text=HELP["order_statuses"],
        )
        for name, kind in (("guest_customer_id", "customer"), ("stand_in_item_id", "item")):
            label = self.fields[name].label
            self.fields[name] = OursField(kind, label=label, required=False, help_text=HELP[name])
        self.fields["name"].empty = self.fields["ca_bundle"].empty = "None"
        self.fields["currencies"].empty = "Only the shop's own"
        self._add_credentials(cart, adapter.credential_fields)

    def _add_credentials(self, cart: Cart, fields: Any) -> None:
        saved = saved_credentials(cart)
        for field in fields:
            secret = saved.get(field.name, "")
            mask = secrets.mask(secret) if field.is_secret or not secret else secret
            keep = " Leave it empty to keep the saved one." if secret else ""
            made = CredentialField(mask, label=field.label, required=False, help_text=f"{field.help_text}{keep}")
            self.fields[f"{CREDENTIAL}{field.name}"] = made

    def sections(self) -> list[tuple[Section, list[forms.BoundField]]]:
        credentials = tuple(name for name in self.fields if name.startswith(CREDENTIAL))
        return [
            (
                section,
                [self[name] for part in section.names for name in (credentials if part == "credentials" else (part,))],
            )
            for section in SECTIONS
        ]

    def changes(self) -> dict[str, Any]:
        """Cleaned values by model field, only of what the person changed since the form was shown."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "version"
            and not name.startswith(CREDENTIAL)
            and (name in self.changed_data or not self.instance.pk)
        }

    def credentials(self) -> dict[str, str]:
        typed = {name: value for name, value in self.cleaned_data.items() if name.startswith(CREDENTIAL) and value}
        return {name.removeprefix(CREDENTIAL): value for name, value in typed.items()}

    def clean_url(self) -> str:
        url = self.cleaned_data["url"]
        scheme, _, rest = url.partition("://")
        if scheme.lower() not in ("http", "https"):
            raise ValidationError("The address must begin with https:// (or http://).")
        if "@" in rest.partition("/")[0]:
            raise ValidationError("Leave user name and password out of the address; the key goes into its own fields.")
        return url

    def clean_notification_emails(self) -> str:
        addresses = re.split(r"[\s,;]+", self.cleaned_data["notification_emails"].strip())
        for one in filter(None, addresses):
            try:
                validate_email(one)
            except ValidationError:
                raise ValidationError(f"“{one}” is not an e-mail address.") from None
        return ", ".join(filter(None, addresses))

    def clean_currencies(self) -> str:
        codes = [code for code in re.split(r"[\s,;]+", self.cleaned_data["currencies"].upper()) if code]
        wrong = [code for code in codes if not re.fullmatch(r"[A-Z]{3}", code)]
        if wrong:
            raise ValidationError(f"“{wrong[0]}” is not a currency code. Codes have three letters, such as EUR.")
        return ",".join(codes)


class CredentialField(forms.CharField):
    """A secret: shown as its mask, sent back to the browser never."""

    def __init__(self, mask: str, **kwargs: Any) -> None:
        attrs = {"autocomplete": "new-password", "placeholder": mask}
        super().__init__(widget=widgets.UnfoldAdminPasswordWidget(attrs), **kwargs)
        self.mask = mask

    def shown(self, value: Any) -> str:
        return self.mask


def saved_credentials(cart: Cart) -> dict[str, str]:
    """Empty where they cannot be decrypted: Test Connection says so, and they can be entered again."""
    try:
        return secrets.unseal(cart.credentials)
    except secrets.ConfigError:
        return {}
