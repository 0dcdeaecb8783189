from django.db import models
from django.db.models import Q

from backoffice.choices import MovementReason
from backoffice.models.append_only import AppendOnly
from backoffice.models.document import Document
from backoffice.models.fields import quantity_field, user_field
from backoffice.models.item import Item


class StockLevel(models.Model):
    """The sum of an item's movements. Written by services.stock.move and by nothing else.

    `committed` is promised to approved Sales Orders and still on hand. On hand below zero: more was sold than there
    was.
    """

    item = models.OneToOneField(Item, on_delete=models.PROTECT, primary_key=True, related_name="stock")
    on_hand = quantity_field(default=0)
    committed = quantity_field(default=0)

    class Meta:
        verbose_name = "stock"
        verbose_name_plural = "stock"

    def __str__(self) -> str:
        return f"Stock of {self.item}"


class StockMovement(AppendOnly):
    """One change of one item's stock."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="movements", db_index=False)
    on_hand_change = quantity_field()
    committed_change = quantity_field()
    reason = models.CharField(max_length=12, choices=MovementReason)
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, blank=True, related_name="movements", db_index=False
    )
    note = models.CharField(max_length=250, blank=True)
    at = models.DateTimeField()
    by = user_field()

    class Meta(AppendOnly.Meta):
        verbose_name = "stock movement"
        indexes = [
            models.Index(fields=["item", "-id"], name="movement_item"),
            models.Index(fields=["reason", "-id"], name="movement_reason"),
            models.Index(fields=["document"], condition=Q(document__isnull=False), name="movement_document"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.pk}"
