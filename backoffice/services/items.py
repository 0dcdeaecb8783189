"""Items: found by SKU, made once a SKU."""

from collections.abc import Collection
from dataclasses import asdict

from django.db import IntegrityError, transaction
from django.db.models import Q

from backoffice.models import Item
from backoffice.text import normalise_sku
from backoffice.types import FoundItem, NewItem


def find_by_skus(sku_keys: Collection[str]) -> dict[str, FoundItem]:
    """By normalised SKU; unknown ones are not among the keys."""
    rows = Item.objects.filter(sku_key__in=sku_keys).values_list("sku_key", "pk", "is_stock_keeping", "is_active")
    return {key: FoundItem(pk, keeps, active) for key, pk, keeps, active in rows}


def create_item(new: NewItem) -> int:
    """The id of the item with this SKU, made now or there before. ValueError without a SKU."""
    key = normalise_sku(new.sku)
    if not key:
        raise ValueError("an item needs a SKU")
    try:
        with transaction.atomic():
            return Item.objects.create(**asdict(new)).pk
    except IntegrityError:
        found = Item.objects.filter(sku_key=key).values_list("pk", flat=True).first()
        if found is None:
            raise
        return found


def search(text: str, limit: int) -> list[int]:
    """Ids of items whose SKU, name or barcode begins with the text."""
    text = text.strip()
    begins = Q(sku_key__startswith=normalise_sku(text)) | Q(name__istartswith=text) | Q(barcode__startswith=text)
    return list(Item.objects.filter(begins).values_list("pk", flat=True)[:limit])
