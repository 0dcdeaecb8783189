"""What the practice shop sells, and to whom: the same for the same seed and sizes."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from sandbox.records import Address
from sandbox.shop import Shop
from sandbox.shopper import Shopper

# Sold by the shop and missing in the back office on purpose, so that orders are held for them.
UNKNOWN_SKUS = ("NEW-LAMP-01", "NEW-MUG-02", "NEW-RUG-03", "NEW-TRAY-04", "NEW-VASE-05")
# Places in the catalogue: which entries are the unknown ones, and which carry no SKU at all.
_UNKNOWN_AT = dict(zip((7, 19, 31, 40, 55), UNKNOWN_SKUS, strict=True))
_NO_SKU_AT = (10, 37)
# Of every fifteen things sold the last three are sizes of one product.
_GROUP, _SIZES = 15, ("S", "M", "L")
_MATERIALS = ("Oak", "Linen", "Steel", "Wool", "Glass", "Cork", "Brass", "Cotton", "Slate", "Bamboo")
_THINGS = ("Bowl", "Towel", "Kettle", "Blanket", "Jar", "Mat", "Hook", "Cushion", "Board", "Basket", "Tin", "Frame")
_FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hugo", "Ines", "Jon")
HISTORY_DAYS = 60


class Sellable(Struct, frozen=True):
    """One thing to buy: a simple product or a variation (`parent_sku` and `option` set). `price` without tax."""

    sku: str
    name: str
    price: Decimal
    stock: int
    tax_class: str = ""
    parent_sku: str = ""
    option: str = ""


def catalogue(products: int = 60, seed: int = 1) -> list[Sellable]:
    """Everything the shop sells, in the order of its ids; `products` counts variations, not their parents.

    Entries without a SKU have "". Prices range from 1.50 to 90.00, stock from 20 to 200; from the tenth part
    of the things on, one in ten is taxed at the reduced rate.
    """
    return [_sellable(place, random.Random(f"{seed}:product:{place}")) for place in range(products)]


def _sellable(place: int, rng: random.Random) -> Sellable:
    group, within = divmod(place, _GROUP)
    price = Decimal(rng.randrange(150, 9001)) / 100
    stock = rng.randrange(20, 201)
    if within >= _GROUP - len(_SIZES):
        size = _SIZES[within - _GROUP + len(_SIZES)]
        parent = f"SHIRT-{group + 1:03d}"
        price = Decimal(1990 + group % 50 * 100) / 100
        return Sellable(f"{parent}-{size}", f"Shirt {group + 1} - {size}", price, stock, "", parent, size)
    sku = "" if place in _NO_SKU_AT else _UNKNOWN_AT.get(place, f"SKU-{place + 1:04d}")
    round_number = place // (len(_MATERIALS) * len(_THINGS))
    name = f"{_MATERIALS[place % len(_MATERIALS)]} {_THINGS[place % len(_THINGS)]}"
    if round_number:
        name += f" {round_number + 1}"
    return Sellable(sku, name, price, stock, "reduced-rate" if place % 10 == 9 else "")


def populate(
    shop: Shop,
    *,
    orders: int = 250,
    customers: int = 40,
    products: int = 60,
    seed: int = 1,
    lines: int | None = None,
) -> Shopper:
    """Fill an empty shop; one that was filled before is left as it is. Returns who places further orders.

    Orders lie over the last 60 days before the shop's clock. With `lines` every order is plain: paid, that many
    lines of things the back office knows, shipping and tax, bought by a registered customer.
    """
    shopper = Shopper(shop, seed, lines, UNKNOWN_SKUS)
    with shop.changing():
        if not shop.fact("populated"):
            _stock_the_shelves(shop, products, seed)
            _register(shop, customers)
            _write_history(shop, shopper, orders)
            shop.set_fact("populated", True)
    return shopper


def _stock_the_shelves(shop: Shop, products: int, seed: int) -> None:
    opened = shop.clock.now() - timedelta(days=HISTORY_DAYS + 1)
    parents = {}
    for each in catalogue(products, seed):
        parent = None
        if each.parent_sku:
            parent = parents.get(each.parent_sku)
            if parent is None:
                name = each.name.rpartition(" - ")[0]
                parent = shop.add_product(each.parent_sku, name, kind="variable", created=opened)
                parents[each.parent_sku] = parent
        shop.add_product(
            each.sku,
            each.option or each.name,
            str(each.price.quantize(Decimal("0.01"))),
            stock=each.stock,
            parent=parent,
            option=each.option,
            created=opened,
            tax_class=each.tax_class,
        )


def _register(shop: Shop, customers: int) -> None:
    opened = shop.clock.now() - timedelta(days=HISTORY_DAYS + 1)
    shop.add_customer("admin@example.test", role="administrator", username="admin", created=opened)
    for number in range(1, customers + 1):
        first, last = _FIRST[number % len(_FIRST)], f"Shopper{number}"
        email = f"customer{number}@example.test"
        where = _home(number)
        billing = Address(first, last, "", f"{number} Example St", "", *where, email, f"555-{number:04d}")
        shipping = Address(first, last, "", f"{number} Example St", "", *where)
        shop.add_customer(
            email,
            first,
            last,
            username=f"customer{number}",
            billing=billing,
            shipping=shipping,
            is_paying=True,
            created=opened,
            modified=opened + timedelta(minutes=number),
        )


def _home(number: int) -> tuple[str, str, str, str]:
    """City, state, postcode and country: two taxes, one, another country's, none."""
    homes = (
        ("New York", "NY", "10001", "US"),
        ("Denver", "CO", "80202", "US"),
        ("Berlin", "", "10115", "DE"),
        ("New York", "NY", "10002", "US"),
        ("Los Angeles", "CA", "90001", "US"),
    )
    return homes[number % len(homes)]


def _write_history(shop: Shop, shopper: Shopper, orders: int) -> None:
    now = shop.clock.now()
    step = timedelta(days=HISTORY_DAYS) / max(orders, 1)
    history = [shopper.past_order(now - step * (orders - place), now) for place in range(orders)]
    shop.save_many(shop.orders, history)
