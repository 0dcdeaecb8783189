from django.db import models
from django.db.models import Q

from carts.choices import PROBLEM_STATES, Differs, Kind, Reason, RecordState
from carts.models.cart import Cart


class Record(models.Model):
    """What we last saw of one order, item or customer in one cart, and what became of it.

    `local_id` is the id of our document, item or customer; `digest` covers the shop's own text of the record.
    """

    # No index of its own: PostgreSQL would take it for a page of orders, see below.
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="records", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    external_id = models.CharField(max_length=64)
    parent_id = models.CharField(max_length=64, blank=True)
    # Number of an order, SKU of an item, e-mail of a customer: for showing and looking up, never for ordering.
    label = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=250, blank=True)
    state = models.CharField(max_length=10, choices=RecordState, default=RecordState.SEEN)
    reason_code = models.CharField(max_length=24, choices=Reason, blank=True)
    reason = models.TextField(blank=True)
    digest = models.BinaryField(max_length=16)
    local_id = models.BigIntegerField(null=True, blank=True)
    # A person chose it: date, status and grace delay do not hold it back, now or when it is released later.
    picked_by_hand = models.BooleanField(default=False)
    placed_at = models.DateTimeField(null=True, blank=True)
    modified_at = models.DateTimeField(null=True, blank=True)
    # WAITING: when the grace delay is over.
    due_at = models.DateTimeField(null=True, blank=True)
    shop_status = models.CharField(max_length=50, blank=True)
    total = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    # ITEM: the quantity the cart is known to show; None while it is not known (never read, or a write unanswered).
    cart_stock = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    # ITEM, CUSTOMER, linked: which side changed since `base`. Empty for orders, whose import names no such column.
    differs = models.CharField(max_length=5, choices=Differs, blank=True, default="", db_default="")
    seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    # Last: SQLite reads a row up to the column asked for, and this one is long.
    payload = models.TextField()
    # ITEM, CUSTOMER, linked: the fields as each side showed them when they were last brought together, a JSON object
    # {"theirs": {...}, "ours": {...}} of texts (carts.fields). Empty: not yet.
    base = models.TextField(blank=True, default="", db_default="")

    class Meta:
        # The id first: while a backlog comes in, PostgreSQL still believes the table to be nearly empty, and would read
        # all of a cart's orders for each page if the index let it.
        constraints = [models.UniqueConstraint(fields=["external_id", "cart", "kind"], name="one_record_a_cart_record")]
        indexes = [
            models.Index(fields=["cart", "kind", "label"], condition=~Q(kind=Kind.ORDER), name="record_by_label"),
            models.Index(fields=["-changed_at", "-id"], condition=Q(state__in=PROBLEM_STATES), name="record_problems"),
            models.Index(fields=["cart", "due_at"], condition=Q(state=RecordState.WAITING), name="record_waiting"),
            models.Index(
                fields=["cart", "kind", "-placed_at", "-id"],
                condition=Q(state=RecordState.IMPORTED),
                name="record_imported",
            ),
            # Ours first, for the same reason: each mark would be looked for among all items of the cart.
            models.Index(
                fields=["local_id", "cart", "kind"], condition=Q(local_id__isnull=False), name="record_linked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.label or self.external_id}"


class HeldFor(models.Model):
    """What a held order waits for: one row a cause, so that the answer finds every order it releases.

    `key` is a SKU key (UNKNOWN_SKU), a normalised e-mail (AMBIGUOUS_CUSTOMER) or a currency code (CURRENCY).
    """

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="held_for")
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="+")
    reason_code = models.CharField(max_length=24, choices=Reason)
    key = models.CharField(max_length=250)
    external_item_id = models.CharField(max_length=64, blank=True)
    label = models.CharField(max_length=250, blank=True)

    class Meta:
        indexes = [models.Index(fields=["cart", "reason_code", "key"], name="held_for_key")]

    def __str__(self) -> str:
        return f"{self.record}: {self.get_reason_code_display()} {self.key}"


class Conflict(models.Model):
    """One field of a linked pair that both sides changed, and nobody has said yet whose value counts."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="conflicts")
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="conflicts")
    field = models.CharField(max_length=40)
    ours = models.TextField(blank=True)
    theirs = models.TextField(blank=True)
    noticed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "field"], name="one_conflict_a_field")]

    def __str__(self) -> str:
        return f"{self.record}: {self.field}"


class RememberedAnswer(models.Model):
    """A person's answer to a question of a cart: this SKU is that item, this e-mail is that customer.

    A held order asks once; every later one with the same key goes by the answer.
    """

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="answers")
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=250)
    local_id = models.BigIntegerField()
    answered_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cart", "kind", "key"], name="one_answer_a_key")]

    def __str__(self) -> str:
        return f"{self.cart}: {self.key} is {self.kind} {self.local_id}"
