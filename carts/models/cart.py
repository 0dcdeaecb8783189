from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from carts import platforms
from carts.choices import CartStatus, GuestRule, ImportAs, NewRecords


def default_order_statuses() -> list[str]:
    """WooCommerce's paid statuses; every platform's adapter declares its own."""
    return ["processing", "completed"]


class Cart(models.Model):
    """One connected shop: its settings, From Cart and To Cart, and what the last Test Connection read.

    Services change a cart; nobody else writes `status`, the fence or the test's result.
    """

    name = models.CharField("Cart Name", max_length=100, unique=True)
    platform = models.CharField(max_length=20, choices=platforms.platforms, default=platforms.DEFAULT)
    url = models.URLField("Cart Connect URL", max_length=500, help_text="The address of the shop itself.")
    notification_emails = models.TextField(
        "Notification Email", blank=True, help_text="One or more addresses, separated by commas."
    )
    # Fernet token of a JSON object; only carts.secrets reads or writes it.
    credentials = models.TextField(editable=False, default="")
    ca_bundle = models.CharField(
        "TLS certificate file",
        max_length=500,
        blank=True,
        help_text="Only for a shop with a certificate of a private authority: the path of its PEM file on the server.",
    )

    status = models.CharField(max_length=10, choices=CartStatus, default=CartStatus.STOPPED)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_note = models.TextField(blank=True)

    # From Cart
    import_orders_as = models.CharField(
        "Import Orders As", max_length=20, choices=ImportAs, default=ImportAs.SALES_ORDER
    )
    # The fence: set by staff, compared with the time an order was placed. Never moved by the engine.
    order_fence = models.DateTimeField(null=True, blank=True)
    # Shown as Last Order from: the fence until orders arrive, then the newest one's time. Only moves forward.
    last_order_from = models.DateTimeField("Last Order from", null=True, blank=True)
    # As with orders: what staff entered, and what is shown, which moves on.
    update_fence = models.DateTimeField(null=True, blank=True)
    last_update_time = models.DateTimeField("Last update time", null=True, blank=True)
    from_customer_updates = models.BooleanField("Enable Customer updates", default=False)
    from_item_updates = models.BooleanField("Enable Item updates", default=False)
    new_customers = models.CharField("New customers", max_length=10, choices=NewRecords, default=NewRecords.OFFER)
    new_items = models.CharField("New items", max_length=10, choices=NewRecords, default=NewRecords.OFFER)
    record_sweep_hours = models.PositiveSmallIntegerField(
        "Compare all items and customers every (hours)",
        default=6,
        validators=[MinValueValidator(1), MaxValueValidator(168)],
        help_text="Finds what the shop does not report: deleted records, and changed customers where it cannot name "
        "them.",
    )
    # {"item.price": Owner, ...}; what is not named is Owner.ASK.
    field_owners = models.JSONField("Field owners", default=dict, blank=True)
    order_statuses = models.JSONField("Order statuses to import", default=default_order_statuses, blank=True)
    grace_minutes = models.PositiveIntegerField(
        "Grace delay (minutes)",
        default=0,
        validators=[MaxValueValidator(2880)],
        help_text="An order is imported only when it is this old, so that buyers can still change their mind.",
    )
    guest_rule = models.CharField("Guests become", max_length=20, choices=GuestRule, default=GuestRule.PER_EMAIL)
    # Ids of the back office's records; the gateway resolves them.
    guest_customer_id = models.BigIntegerField("Shared customer for guests", null=True, blank=True)
    stand_in_item_id = models.BigIntegerField("Stand-in item", null=True, blank=True)
    currencies = models.CharField(
        "Currencies to import",
        max_length=200,
        blank=True,
        help_text="Codes separated by commas. Empty: only the shop's own currency; others are held.",
    )
    poll_interval_seconds = models.PositiveIntegerField(
        "Look for new orders every (seconds)",
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(86400)],
    )
    requests_in_flight = models.PositiveSmallIntegerField(
        "Requests in flight",
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(4)],
        help_text="How many pages are asked for at once while catching up. 1 is gentlest to the shop.",
    )

    # To Cart
    to_customer_updates = models.BooleanField("Enable Customer updates", default=False)
    to_stock_updates = models.BooleanField("Enable real-time stock updates", default=False)
    to_item_updates = models.BooleanField("Enable Item updates", default=False)

    safety_buffer = models.PositiveIntegerField(
        "Safety buffer",
        default=0,
        validators=[MaxValueValidator(1_000_000)],
        help_text="So many units of every item are kept back from this cart.",
    )
    stock_percent = models.PositiveSmallIntegerField(
        "Share of the stock (%)",
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Of what is available, this share is offered in this cart, rounded down.",
    )
    stock_maximum = models.PositiveIntegerField(
        "Most to show",
        null=True,
        blank=True,
        help_text="The cart never shows more than this. Empty: no limit.",
    )
    stock_location = models.CharField(
        "Stock location",
        max_length=100,
        blank=True,
        help_text="Where the shop keeps the stock that is ours. Test Connection reads which there are.",
    )
    stock_sweep_hours = models.PositiveSmallIntegerField(
        "Compare all stock every (hours)",
        default=6,
        validators=[MinValueValidator(1), MaxValueValidator(168)],
        help_text="The cart's quantities are read and compared with ours, and repaired where they differ.",
    )

    # Alerts
    silence_hours = models.PositiveIntegerField(
        "Alert after no new order for (hours)",
        default=0,
        validators=[MaxValueValidator(720)],
        help_text="0: never. A shop that sells every hour and falls silent for a day is worth a look.",
    )
    alerted_at = models.DateTimeField(null=True, blank=True)

    # What Test Connection read. `tested_for` is the digest of the URL and credentials it passed with.
    tested_at = models.DateTimeField(null=True, blank=True)
    tested_for = models.CharField(max_length=64, blank=True)
    test_message = models.TextField(blank=True)
    shop_name = models.CharField(max_length=200, blank=True)
    shop_currency = models.CharField(max_length=3, blank=True)
    shop_timezone = models.CharField(max_length=64, blank=True)
    shop_version = models.CharField(max_length=50, blank=True)
    shop_permissions = models.TextField(blank=True)
    shop_warnings = models.JSONField(default=list, blank=True)
    # [[id, name], ...] of the places where the shop keeps stock; empty where the platform knows none.
    shop_locations = models.JSONField(default=list, blank=True)
    # The digest of the settings a rehearsal was finished with.
    rehearsed_for = models.CharField(max_length=64, blank=True)
    rehearsed_at = models.DateTimeField(null=True, blank=True)

    to_cart_rehearsed_for = models.CharField(max_length=64, blank=True)
    to_cart_rehearsed_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    # Moves with every save of the form; a form opened before that is told so.
    settings_version = models.PositiveIntegerField(default=1)

    history = HistoricalRecords(
        excluded_fields=[
            "credentials",
            "last_order_from",
            "tested_at",
            "tested_for",
            "test_message",
            "shop_name",
            "shop_currency",
            "shop_timezone",
            "shop_version",
            "shop_permissions",
            "shop_warnings",
            "shop_locations",
            "rehearsed_for",
            "rehearsed_at",
            "to_cart_rehearsed_for",
            "to_cart_rehearsed_at",
            "alerted_at",
        ]
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs: Any) -> None:
        self.url = self.url.strip()
        super().save(**kwargs)

    @property
    def is_running(self) -> bool:
        return self.status == CartStatus.RUNNING

    @property
    def source(self) -> str:
        """How the back office names this cart as the source of a document."""
        return f"cart:{self.pk}"

    @property
    def accepted_currencies(self) -> frozenset[str]:
        """Upper-case codes; empty while the shop's own currency is not known yet."""
        codes = self.currencies or self.shop_currency
        return frozenset(code.strip().upper() for code in codes.split(",") if code.strip())

    @property
    def notification_addresses(self) -> list[str]:
        return [part for part in self.notification_emails.replace(",", " ").replace(";", " ").split() if part]
