from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from backoffice.models.base import money_field
from backoffice.text import normalise_sku


class Item(models.Model):
    """Something sold. `sku_key` is the SKU as it is compared; a variation names its group as `parent`."""

    sku = models.CharField("SKU", max_length=100)
    sku_key = models.CharField(max_length=100, unique=True, editable=False)
    name = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    price = money_field(default=0)
    sale_price = money_field(null=True, blank=True)
    tax_class = models.CharField(max_length=50, default="standard", blank=True)
    tax_rate = models.DecimalField("Tax rate (%)", max_digits=7, decimal_places=4, default=0)
    barcode = models.CharField(max_length=64, blank=True, db_index=True)
    weight = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    is_stock_keeping = models.BooleanField("Keeps stock", default=True)
    is_active = models.BooleanField("Active", default=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="variations")
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sku = self.sku.strip()
        self.sku_key = normalise_sku(self.sku)
        super().save(*args, **kwargs)
