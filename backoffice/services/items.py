"""Items: found by SKU, made by imports, searched by staff."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from backoffice.models import Item
from backoffice.text import normalise, normalise_sku
from backoffice.types import ItemLite, NewItem

MOST_FOUND = 1000  # a search that finds more is too wide to read anyway
MAX_LENGTHS = {"name": 250, "barcode": 100, "tax_class": 100}


def find_by_skus(skus: Collection[str]) -> dict[str, ItemLite]:
    """Items by normalised SKU. One that is unknown is left out."""
    keys = {normalise_sku(sku) for sku in skus}
    rows = Item.objects.filter(sku_key__in=keys).values_list("sku_key", "pk", "is_stock_keeping", "is_active")
    return {key: ItemLite(pk, keeps, active) for key, pk, keeps, active in rows}


def create_item(new: NewItem) -> int:
    """The id of the item with this SKU, made if there is none. ValueError when the SKU is empty."""
    key = normalise_sku(new.sku)
    if not key:
        raise ValueError("An item needs a SKU.")
    values = asdict(new) | {"sku": new.sku.strip()}
    item, _ = Item.objects.get_or_create(sku_key=key, defaults=values)
    return item.pk


def update_item(item_id: int, values: Mapping[str, Any]) -> None:
    """Set these fields, with history. ValidationError where one cannot be, ObjectDoesNotExist where it is gone."""
    item = Item.objects.get(pk=item_id)
    for name, value in values.items():
        setattr(item, name, value[: MAX_LENGTHS[name]] if name in MAX_LENGTHS else value)
    item.clean_fields(exclude={field.name for field in Item._meta.fields} - set(values))
    item.save()


def search(text: str, limit: int) -> list[int]:
    """Ids of at most `limit` items whose SKU, name or barcode begins with the text, each through an index."""
    text = text.strip()
    if not text:
        return []
    found: dict[int, None] = {}
    for rows in (
        Item.objects.filter(sku_key__startswith=normalise_sku(text)),
        Item.objects.filter(barcode__startswith=text),
        Item.objects.filter(name_key__startswith=normalise(text)),
    ):
        found |= dict.fromkeys(rows.values_list("pk", flat=True)[:limit])
    return list(found)[:limit]


def page(
    text: str, number: int, size: int, *, only: Iterable[int] | None = None, without: Iterable[int] = ()
) -> list[int]:
    """Ids of page `number` (from 1), newest first; one more than `size` when there is a next page. `only` and `without`
    narrow it to ids, or to what a queryset of ids finds."""
    rows = Item.objects.order_by("-pk").values_list("pk", flat=True)
    if text.strip():
        rows = rows.filter(pk__in=search(text, MOST_FOUND))
    if only is not None:
        rows = rows.filter(pk__in=only)
    rows = rows.exclude(pk__in=without)
    start = (number - 1) * size
    return list(rows[start : start + size + 1])
