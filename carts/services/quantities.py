"""How many of an item a cart may show (promise 8)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import ROUND_FLOOR, Decimal

from django.db.models import Q

from carts import gateway
from carts.choices import Kind
from carts.models import Cart, OpenUnits, Record

ZERO = Decimal(0)


def targets(cart: Cart, item_ids: Collection[int]) -> dict[int, Decimal]:
    """Whole units by item id; one that keeps no stock, or is gone, is left out.

    Five statements, however many items; six where units are open."""
    skus = gateway.skus_with_stock(item_ids)
    stock = gateway.sellable(skus)
    sold = units_on_open_orders(skus)
    return {item_id: shown(cart, available - sold.get(item_id, ZERO)) for item_id, available in stock.items()}


def shown(cart: Cart, available: Decimal) -> Decimal:
    """`available`: on hand, less committed, PENDING and sold in a cart but not imported. Pure."""
    share = ((available - cart.safety_buffer) * cart.stock_percent / 100).quantize(Decimal(1), ROUND_FLOOR)
    most = share if cart.stock_maximum is None else min(share, Decimal(cart.stock_maximum))
    return max(most, ZERO)


def units_on_open_orders(skus: Mapping[int, str]) -> dict[int, Decimal]:
    """Units of our items (SKU keys by id) that were seen sold, in any cart, on orders that are not imported. By link,
    else by SKU; so what is mapped later counts from then on."""
    # By cart, because the index of links begins with it.
    links = Record.objects.filter(cart_id__in=Cart.objects.values("pk"), kind=Kind.ITEM, local_id__in=skus)
    linked = links.values_list("external_id", flat=True)
    item_ids = {sku: item_id for item_id, sku in skus.items()}
    units = OpenUnits.objects.filter(Q(external_item_id__in=[*linked]) | Q(sku_key__in=[*item_ids]))
    rows = list(units.values_list("cart_id", "external_item_id", "sku_key", "quantity"))
    of_lines = _links({external_id for _, external_id, _, _ in rows})
    sold: dict[int, Decimal] = defaultdict(Decimal)
    for cart_id, external_id, sku_key, quantity in rows:
        item_id = of_lines.get((cart_id, external_id)) or item_ids.get(sku_key)
        if item_id is not None and item_id in skus:
            sold[item_id] += quantity
    return sold


def _links(external_ids: Collection[str]) -> dict[tuple[int, str], int]:
    if not external_ids:
        return {}
    records = Record.objects.filter(kind=Kind.ITEM, external_id__in=external_ids, local_id__isnull=False)
    rows = records.values_list("cart_id", "external_id", "local_id")
    return {(cart_id, external_id): local_id for cart_id, external_id, local_id in rows if local_id is not None}
