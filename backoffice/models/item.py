from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from backoffice.models.fields import price_field
from backoffice.text import normalise, normalise_sku


class Item(models.Model):
    """Something sold. Variations are items of their own under one parent. Prices are without tax."""

    sku = models.CharField("SKU", max_length=200)
    # Unique without regard to case and outer spaces.
    sku_key = models.CharField(max_length=255, unique=True, editable=False)
    name = models.CharField(max_length=250)
    name_key = models.CharField(max_length=300, db_index=True, editable=False)
    description = models.TextField(blank=True)
    price = price_field(default=0, validators=[MinValueValidator(0)])
    sale_price = price_field(null=True, blank=True, validators=[MinValueValidator(0)])
    tax_rate = models.DecimalField("tax rate, %", max_digits=7, decimal_places=4, default=0)
    tax_class = models.CharField(max_length=100, blank=True)
    barcode = models.CharField(max_length=100, blank=True, db_index=True)
    weight = price_field(null=True, blank=True, validators=[MinValueValidator(0)])
    is_stock_keeping = models.BooleanField("stock-keeping", default=True)
    is_active = models.BooleanField("active", default=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="variations")
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    history = HistoricalRecords(excluded_fields=["sku_key", "name_key", "created_at", "modified_at"])

    def __str__(self) -> str:
        return f"{self.sku} {self.name}".strip()

    def save(self, *args: Any, **options: Any) -> None:
        self.set_keys()
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], "sku_key", "name_key"}
        super().save(*args, **options)

    def set_keys(self) -> None:
        self.sku_key = normalise_sku(self.sku)
        self.name_key = normalise(self.name)

    def clean(self) -> None:
        # The constraint decides; this is only to say it kindly.
        twin = Item.objects.filter(sku_key=normalise_sku(self.sku)).exclude(pk=self.pk).first()
        if twin:
            raise ValidationError({"sku": f"The item {twin} has this SKU already. Choose another."})
        if self.pk and self.parent_id == self.pk:
            raise ValidationError({"parent": "An item cannot be a variation of itself. Choose another."})
