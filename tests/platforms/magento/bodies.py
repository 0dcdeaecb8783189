"""Small bodies as Magento writes them, for what no recorded order shows and for a checkout without the recordings."""

import json
from decimal import Decimal
from typing import Any

from carts.platforms import connect
from carts.platforms.base import Connection

MAGENTO = connect("magento", Connection("https://shop.example.test", {}))


def written(value: Any) -> bytes:
    """JSON with every Decimal as a number, digit by digit."""
    text = json.dumps(value, default=lambda number: f"<<{number:f}>>")
    return text.replace('"<<', "").replace('>>"', "").encode()


def order_body(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An order of what is given, whose totals are those of its lines where no field says otherwise."""
    tops = [item for item in items if "parent_item_id" not in item]
    row = sum((Decimal(item["row_total_incl_tax"]) for item in tops), Decimal(0))
    tax = sum((Decimal(item["tax_amount"]) for item in tops), Decimal(0))
    parts = sum((Decimal(item["discount_amount"]) for item in items if "parent_item_id" in item), Decimal(0))
    return {
        "entity_id": 7,
        "increment_id": "000000007",
        "state": "processing",
        "status": "being_packed",
        "created_at": "2026-11-23 05:00:00",
        "updated_at": "2026-11-23 05:00:01",
        "order_currency_code": "USD",
        "base_currency_code": "USD",
        "grand_total": row - parts,
        "tax_amount": tax,
        "total_due": 0,
        "is_virtual": 1,
        "items": list(items),
        "billing_address": None,
        **fields,
    }


def item_body(number: int, sku: str, row: str, **fields: Any) -> dict[str, Any]:
    """One piece for `row` without tax, product_id ten times its number."""
    return {
        "item_id": number,
        "product_id": number * 10,
        "product_type": "simple",
        "sku": sku,
        "name": sku.title(),
        "qty_ordered": 1,
        "row_total_incl_tax": Decimal(row),
        "row_total": Decimal(row),
        "tax_amount": Decimal(0),
        "discount_amount": Decimal(0),
        "discount_tax_compensation_amount": Decimal(0),
        **fields,
    }
