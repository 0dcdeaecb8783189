from django.db import models

from carts.choices import PushKind, PushState
from carts.models.cart import Cart


class Push(models.Model):
    """A mark "this must go to that cart", written in the transaction of the change: the transactional outbox.

    Ten changes of one of our records are one mark whose generation counts them; who sent it takes the mark away only
    if the generation is still the one they read. `local_id` is the id of our item or customer.
    """

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="pushes")
    kind = models.CharField(max_length=10, choices=PushKind)
    local_id = models.BigIntegerField()
    generation = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=PushState, default=PushState.WAITING)
    # Not before this; None: at once.
    due_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    marked_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "pushes"
        constraints = [models.UniqueConstraint(fields=["local_id", "cart", "kind"], name="one_push_a_cart_and_record")]
        indexes = [
            models.Index(
                fields=["cart", "kind", "due_at", "id"], name="push_waiting", condition=models.Q(state="waiting")
            ),
            models.Index(fields=["-marked_at", "-id"], name="push_problems", condition=models.Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.cart}: {self.get_kind_display()} {self.local_id}"


class Outbox(models.Model):
    """One kind of push to one cart: its lease (as a feed's), when it is next sent, the last error, the last sweep."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="outboxes")
    kind = models.CharField(max_length=10, choices=PushKind)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    next_drain_at = models.DateTimeField(null=True, blank=True, db_index=True)
    drained_at = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, blank=True)
    # Where an unfinished sweep goes on; "" when none is under way.
    sweep_position = models.CharField(max_length=64, blank=True)
    failures = models.PositiveIntegerField(default=0)
    needs_person = models.BooleanField(default=False)
    error_kind = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "outboxes"
        constraints = [models.UniqueConstraint(fields=["cart", "kind"], name="one_outbox_a_cart_and_kind")]

    def __str__(self) -> str:
        return f"{self.cart}: {self.get_kind_display()} to the cart"

    @property
    def trouble(self) -> str:
        """As a feed's."""
        return "Stock is not sent" if self.kind == PushKind.STOCK else f"{self.get_kind_display()}s are not sent"


class OpenUnits(models.Model):
    """Units on an order that was seen in the cart and is not imported: sold there already, not yet counted here.

    One row a line; the item is looked up by link or SKU when the units are counted, so that a SKU mapped later counts.
    """

    record = models.ForeignKey("carts.Record", on_delete=models.CASCADE, related_name="open_units")
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="+")
    external_item_id = models.CharField(max_length=64, blank=True)
    sku_key = models.CharField(max_length=255, blank=True)
    quantity = models.DecimalField(max_digits=14, decimal_places=4)

    class Meta:
        verbose_name_plural = "open units"
        indexes = [
            models.Index(fields=["cart", "external_item_id"], name="open_units_of_item"),
            models.Index(fields=["sku_key"], name="open_units_of_sku"),
        ]

    def __str__(self) -> str:
        return f"{self.record}: {self.quantity} of {self.sku_key or self.external_item_id}"
