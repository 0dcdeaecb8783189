"""The cart's form. Its labels and help texts are the one description of a setting, in View and in Edit mode."""

import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from unfold import widgets

from carts import secrets
from carts.errors import ConfigError
from carts.forms.fields import CredentialField, OursField, ShopTimeField
from carts.models import Cart
from carts.platforms import adapter_class
from carts.services.control import shop_zone

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
            "new_customers",
            "from_item_updates",
            "new_items",
            "record_sweep_hours",
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
        (
            "to_customer_updates",
            "to_stock_updates",
            "safety_buffer",
            "stock_percent",
            "stock_maximum",
            "stock_location",
            "stock_sweep_hours",
            "to_item_updates",
        ),
        to="cart",
    ),
)

HELP = {
    "name": "How this shop is called in the panel.",
    "url": "{of_platform} Another shop needs a cart of its own.",
    "import_orders_as": "Each order becomes one document of this type, always PENDING: nothing is posted and no stock "
    "moves until somebody approves it.",
    "last_order_from": "An order placed before it is never imported by itself. The date moves on as orders arrive; "
    "what you enter is where the importing begins.",
    "last_update_time": "From when on changes of customers and items are taken. Needed as soon as one of the two "
    "updates below is enabled.",
    "from_customer_updates": "Linked customers that change in the shop change here. Documents that exist keep "
    "the address they have.",
    "from_item_updates": "Linked items that change in the shop change here, variations too. Never their stock.",
    "new_customers": "What becomes of a customer that turns up in the shop. One with the same e-mail here is linked "
    "when they are created by themselves.",
    "new_items": "What becomes of an item that turns up in the shop. One with the same SKU here is linked when they "
    "are created by themselves.",
    "order_statuses": "Orders with another status wait until it changes to one of these.",
    "guest_rule": "Whose document an order without a customer account becomes.",
    "guest_customer_id": "Used where guests share one customer. Empty: one is created with the first such order.",
    "stand_in_item_id": "Offered for lines whose SKU is not among the items.",
    "to_customer_updates": "Linked customers that change here change in the shop: only the fields that changed.",
    "to_stock_updates": "The shop shows what is free to sell of every linked item: on hand, less committed, less "
    "PENDING documents, less units on orders that are not imported. Each change is sent at once. Switch it on while "
    "the cart is STOPPED, and rehearse it: the shop's own quantities are overwritten.",
    "to_item_updates": "Linked items that change here change in the shop: only the fields that changed, "
    "never their stock.",
}
# How View mode writes a setting that is empty or 0.
EMPTY = {
    "ca_bundle": "None",
    "notification_emails": "None",
    "currencies": "Only the shop's own",
    "grace_minutes": "None",
    "silence_hours": "Never",
    "safety_buffer": "None",
    "stock_maximum": "No limit",
    "stock_location": "Not chosen; where the shop has only one, that one counts",
}


def form_field(field: models.Field, **kwargs: Any) -> forms.Field | None:
    if isinstance(field, models.URLField):
        kwargs["assume_scheme"] = "https"
    return field.formfield(**kwargs)


class CartForm(forms.ModelForm):
    """Settings and credentials of one cart. Typed credentials are never sent back to the browser."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Cart
        fields = [name for section in SECTIONS for name in section.names if name != "credentials"]
        help_texts = HELP
        formfield_callback = form_field
        widgets = {
            "name": widgets.UnfoldAdminTextInputWidget,
            "url": widgets.UnfoldAdminTextInputWidget({"type": "url"}),
            "ca_bundle": widgets.UnfoldAdminTextInputWidget,
            "currencies": widgets.UnfoldAdminTextInputWidget,
            "notification_emails": widgets.UnfoldAdminTextInputWidget,
            "import_orders_as": widgets.UnfoldAdminSelectWidget,
            "guest_rule": widgets.UnfoldAdminSelectWidget,
            "new_customers": widgets.UnfoldAdminSelectWidget,
            "new_items": widgets.UnfoldAdminSelectWidget,
            **dict.fromkeys(
                (
                    "silence_hours",
                    "grace_minutes",
                    "poll_interval_seconds",
                    "requests_in_flight",
                    "safety_buffer",
                    "stock_percent",
                    "stock_maximum",
                    "stock_sweep_hours",
                    "record_sweep_hours",
                ),
                widgets.UnfoldAdminIntegerFieldWidget,
            ),
            **dict.fromkeys((name for name in HELP if name.endswith("_updates")), widgets.UnfoldBooleanWidget),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cart, zone = self.instance, shop_zone(self.instance)
        adapter = adapter_class(cart.platform)
        self.fields["version"].initial = cart.settings_version
        for name in ("last_order_from", "last_update_time"):
            label = self.fields[name].label
            where = f"{HELP[name]} In the shop's time zone: {zone}."
            self.fields[name] = ShopTimeField(zone=zone, label=label, required=False, help_text=where)
            if shown := getattr(cart, name):
                self.fields[name].widget.attrs["title"] = f"{shown.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
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
        self._add_location(cart, adapter.capabilities.has_locations)
        for name, word in EMPTY.items():
            if name in self.fields:
                self.fields[name].empty = word
        self.fields["url"].help_text = HELP["url"].format(of_platform=adapter.url_help)
        self._add_credentials(cart, adapter.credential_fields)

    def _add_location(self, cart: Cart, has_locations: bool) -> None:
        if not has_locations:
            del self.fields["stock_location"]
            return
        known = [(external_id, name) for external_id, name in cart.shop_locations]
        field = self.fields["stock_location"]
        self.fields["stock_location"] = forms.ChoiceField(
            label=field.label,
            choices=[("", "The only one, or not chosen yet"), *known],
            required=False,
            help_text=field.help_text,
            widget=widgets.UnfoldAdminSelectWidget,
        )

    def _add_credentials(self, cart: Cart, fields: Any) -> None:
        saved = saved_credentials(cart)
        for field in fields:
            secret = saved.get(field.name, "")
            mask = secrets.mask(secret) if field.is_secret or not secret else secret
            # Alternatives are told by the platform's own help texts; which of them must be there, by Test Connection.
            help_text = field.help_text if field.is_required else f"{field.help_text} Not always needed.".strip()
            made = CredentialField(
                mask, removable=not field.is_required, label=field.label, required=False, help_text=help_text
            )
            self.fields[f"{CREDENTIAL}{field.name}"] = made

    def section(self, title: str) -> tuple[Section, list[forms.BoundField]]:
        section = next(section for section in SECTIONS if section.title == title)
        credentials = [name for name in self.fields if name.startswith(CREDENTIAL)]
        names = [part for name in section.names for part in (credentials if name == "credentials" else [name])]
        return section, [self[name] for name in names if name in self.fields]

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


def saved_credentials(cart: Cart) -> dict[str, str]:
    """Empty where they cannot be decrypted: Test Connection says so, and they can be entered again."""
    try:
        return secrets.unseal(cart.credentials)
    except ConfigError:
        return {}
