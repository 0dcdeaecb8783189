from django.conf import settings
from django.db import models

from backoffice.choices import MovementReason
from backoffice.models.base import AppendOnly, quantity_field
from backoffice.models.item import Item


class StockLevel(models.Model):
    """What the movements of one item add up to. Only services.stock changes it."""

    item = models.OneToOneField(Item, on_delete=models.PROTECT, primary_key=True, related_name="stock")
    on_hand = quantity_field(default=0)
    committed = quantity_field(default=0)

    def __str__(self) -> str:
        return f"{self.item}: {self.on_hand:f} on hand, {self.committed:f} committed"


class StockMovement(AppendOnly):
    """One line of the stock ledger: signed changes of on hand and committed."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="movements")
    on_hand_change = quantity_field(default=0)
    committed_change = quantity_field(default=0)
    reason = models.CharField(max_length=12, choices=MovementReason)
    document = models.ForeignKey(
        "backoffice.Document", on_delete=models.PROTECT, null=True, blank=True, related_name="movements"
    )
    note = models.CharField(max_length=250, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.item}: {self.on_hand_change:+f} on hand, {self.committed_change:+f} committed"
