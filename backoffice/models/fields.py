"""The few kinds of fields that several models share."""

from typing import Any

from django.conf import settings
from django.db import models

from backoffice.types import AMOUNT_DECIMALS, QUANTITY_DECIMALS


def amount_field(**options: Any) -> models.DecimalField:
    """An amount of a document or a posting: the shop's figure, however many decimals it gave."""
    return models.DecimalField(max_digits=14 + AMOUNT_DECIMALS, decimal_places=AMOUNT_DECIMALS, **options)


def quantity_field(**options: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=10 + QUANTITY_DECIMALS, decimal_places=QUANTITY_DECIMALS, **options)


def price_field(**options: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=14, decimal_places=4, **options)


def user_field() -> models.ForeignKey:
    """Who did it. Without an index: nobody looks for what one person did among all there is."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
