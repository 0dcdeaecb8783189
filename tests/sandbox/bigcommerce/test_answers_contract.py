"""What the practice shop answers is what the published contract says of it: every body, valid by its schema."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests

from sandbox.messages import Received, Request, Response, received
from sandbox.testing import PracticeShop, practice_shop
from tests.platforms.around import around
from tests.platforms.bigcommerce.contract import Contract


@pytest.fixture(scope="session")
def contract(shared) -> Contract:
    return Contract(shared / "contracts" / "bigcommerce")


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(platform="bigcommerce", products=30, orders=60, settle_seconds=0) as place:
        yield place


def asked(place: PracticeShop, calls: list[tuple]) -> list[tuple[Received, Response]]:
    """Each call (method, path, query, body) with its answer, from the shop's side of the socket."""
    found: list[tuple[Received, Response]] = []

    def keep(request: Request, response: Response) -> None:
        found.append((received(request, response.status, [], place.shop.clock.now()), response))

    with around(place, after=keep):
        for method, path, query, body in calls:
            url = f"{place.address}/{path}"
            headers = {"X-Auth-Token": place.platform.token}
            requests.request(method, url, params=query, json=body, headers=headers, timeout=10)
    return found


def test_every_answer_to_a_reading_request(contract, place):
    order = next(row for row in place.shop.orders.rows.values() if row.coupons and row.taxes)
    place.shop.refund_order(
        next(o.id for o in place.shop.orders.rows.values() if not o.refunds and o.total > 5), Decimal(1)
    )
    whole = {"include": "consignments.line_items,fees", "consignment_structure": "object"}
    parts = ("products", "shipping_addresses", "coupons", "taxes")
    calls = [
        ("GET", "v2/store", {}, None),
        ("GET", "v2/time", {}, None),
        ("GET", "v2/orders", whole, None),
        ("GET", f"v2/orders/{order.id}", whole, None),
        ("GET", "v2/orders/count", {}, None),
        *[("GET", f"v2/orders/{order.id}/{part}", {}, None) for part in parts],
        ("GET", "v3/orders/payment_actions/refunds", {}, None),
        ("GET", "v3/catalog/products", {"include": "variants", "limit": 50}, None),
        ("GET", "v3/catalog/products/11", {}, None),
        ("GET", "v3/catalog/variants", {}, None),
        ("GET", "v3/customers", {"include": "addresses"}, None),
        ("GET", "v3/customers/addresses", {}, None),
        ("GET", "v3/inventory/locations", {}, None),
        ("GET", "v3/inventory/locations/1/items", {}, None),
        ("GET", "v3/inventory/items", {}, None),
    ]
    answers = asked(place, calls)
    assert [response.status for _, response in answers] == [200] * len(calls)
    assert [fault for pair in answers for fault in contract.answer_faults_of(*pair)] == []


def test_every_answer_to_a_write(contract, place):
    product = {"name": "New thing", "type": "physical", "weight": 1, "price": 2.5, "sku": "NEW-9"}
    customer = {"email": "new@example.test", "first_name": "A", "last_name": "B"}
    where = {"first_name": "A", "last_name": "B", "address1": "1 Road", "city": "Leeds", "country_code": "GB"}
    hook = {"scope": "store/order/created", "destination": "https://example.test/x", "is_active": True}
    calls = [
        ("POST", "v3/catalog/products", {}, product),
        ("PUT", "v3/catalog/products", {}, [{"id": 11, "price": 3}]),
        ("PUT", "v3/catalog/products", {}, [{"id": 11, "upc": "none"}]),
        ("PUT", "v3/catalog/variants", {}, [{"id": 16, "price": 3}]),
        ("POST", "v3/customers", {}, [customer]),
        ("PUT", "v3/customers", {}, [{"id": 2, "phone": "5"}]),
        ("PUT", "v3/customers/addresses", {}, [{"id": 21, **where}]),
        (
            "PUT",
            "v3/inventory/adjustments/absolute",
            {},
            {"items": [{"location_id": 1, "product_id": 11, "quantity": 4}]},
        ),
        ("POST", "v3/hooks", {}, hook),
        ("GET", "v3/hooks", {}, None),
        # Refused: 409, 413, 422.
        ("POST", "v3/catalog/products", {}, product),
        ("POST", "v3/customers", {}, [customer]),
        ("PUT", "v3/inventory/adjustments/absolute", {}, {"items": []}),
    ]
    answers = asked(place, calls)
    assert [response.status for _, response in answers] == [200, 200, 207, *[200] * 7, 409, 422, 422]
    assert [fault for pair in answers for fault in contract.answer_faults_of(*pair)] == []
