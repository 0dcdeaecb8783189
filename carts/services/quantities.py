"""How many of an item a cart may show (promise 8)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import ROUND_FLOOR, Decimal

from carts import gateway
from carts.models import Cart
from carts.services import stock_rows

ZERO = Decimal(0)


def targets(cart: Cart, item_ids: Collection[int]) -> dict[int, Decimal]:
    """Whole units by item id; one that keeps no stock, or is gone, is left out.

    Two statements, however many items."""
    stock = gateway.sellable(item_ids)
    sold = units_on_open_orders({item_id: sku for item_id, (sku, _) in stock.items()})
    return {item_id: shown(cart, available - sold.get(item_id, ZERO)) for item_id, (_, available) in stock.items()}


def shown(cart: Cart, available: Decimal) -> Decimal:
    """`available`: on hand, less committed, PENDING and sold in a cart but not imported. Pure."""
    share = ((available - cart.safety_buffer) * cart.stock_percent / 100).quantize(Decimal(1), ROUND_FLOOR)
    most = share if cart.stock_maximum is None else min(share, Decimal(cart.stock_maximum))
    return max(most, ZERO)


def units_on_open_orders(skus: Mapping[int, str]) -> dict[int, Decimal]:
    """Units of our items (SKU keys by id) that were seen sold, in any cart, on orders that are not imported. By link,
    else by SKU; so what is mapped later counts from then on."""
    item_ids = {sku: item_id for item_id, sku in skus.items()}
    sold: dict[int, Decimal] = defaultdict(Decimal)
    for linked_to, sku_key, quantity in stock_rows.open_units(skus):
        item_id = linked_to or item_ids.get(sku_key)
        if item_id is not None and item_id in skus:
            sold[item_id] += quantity
    return sold
