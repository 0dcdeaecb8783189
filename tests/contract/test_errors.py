"""Everything that can go wrong with a request ends in one of the few kinds, with a sentence fit for staff."""

import pytest

from carts.errors import AuthError, CartError, ConfigError, RateLimited, Unavailable
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing
from sandbox.testing import practice_shop
from tests.contract.harness import START, TIMEOUT_SECONDS, Ground
from tests.engine.helpers import wait_until
from tests.platforms.around import around

FAULTS = [
    ("401", {}, AuthError),
    ("429", {}, RateLimited),
    ("429", {"retry_after": 17}, RateLimited),
    ("500", {}, Unavailable),
    ("timeout", {"seconds": TIMEOUT_SECONDS + 1}, Unavailable),
    ("reset", {}, Unavailable),
    ("truncated", {}, Unavailable),
    ("html200", {}, Unavailable),
    ("html503", {}, Unavailable),
    ("redirect", {}, ConfigError),
]


def error_of_reading(ground: Ground) -> CartError:
    with pytest.raises(CartError) as raised:
        ground.fetched()
    return raised.value


@pytest.mark.parametrize(("fault", "options", "kind"), FAULTS)
def test_each_fault_is_its_kind_of_error(ground, fault, options, kind):
    order = ground.shop.place_order(placed=START)
    ground.fetched()  # signed in, where that takes a request of its own
    ground.place.requests.clear()
    ground.place.faults.add(fault, **options)
    error = error_of_reading(ground)
    assert type(error) is kind
    assert error.sentence.endswith(".") and len(error.sentence) > 40
    ground.tells_no_secret(error)
    wait_until(lambda: ground.place.requests)  # one that is never answered is written down last
    assert len(ground.place.requests) == 1, "the adapter tries nothing again by itself"
    # The fault struck one request; the next one finds the shop as it was.
    assert [row.external_id for row in ground.fetched()] == [ground.id_of(order)]


@pytest.mark.parametrize("ask", ["page_by_id", "listing", "fetch_many", "find", "read_stock", "read_records"])
@pytest.mark.parametrize(("fault", "kind"), [("500", Unavailable), ("html200", Unavailable), ("401", AuthError)])
def test_every_other_reading_is_told_in_the_same_way(ground, ask, fault, kind):
    ref = ground.ref(ground.wares(variations=False)[0].sku)
    asked = {
        "page_by_id": lambda: ground.adapter.page_by_id(CUSTOMER, ""),
        "listing": lambda: ground.adapter.listing(ITEM, Listing()),
        "fetch_many": lambda: ground.adapter.fetch_many(ORDER, ["1"]),
        "find": lambda: ground.adapter.find(ITEM, "SKU-0001"),
        "read_stock": lambda: ground.adapter.read_stock([ref]),
        "read_records": lambda: ground.adapter.read_records(ITEM, [ItemRef(ref.external_id, ref.parent_id)]),
    }
    ground.place.faults.add(fault)
    with pytest.raises(kind) as raised:
        asked[ask]()
    ground.tells_no_secret(raised.value)


def test_the_shops_own_waiting_time_is_kept(ground):
    ground.fetched()
    ground.place.faults.add("429", retry_after=17)
    assert error_of_reading(ground).wait_seconds == 17
    ground.place.faults.add("429")
    assert error_of_reading(ground).wait_seconds is None


def test_a_redirect_is_not_followed(ground):
    """Whoever stands at the other address would get the key."""
    ground.fetched()
    with practice_shop() as elsewhere:
        ground.place.faults.add("redirect", to=f"{elsewhere.url}/somewhere?token={ground.secrets[0]}")
        error = error_of_reading(ground)
        assert list(elsewhere.requests) == []
        assert isinstance(error, ConfigError) and f"{elsewhere.url}/somewhere" in error.sentence
    ground.tells_no_secret(error)


@pytest.mark.parametrize("body", [b'{"code": "odd"}', b"[]{", b"null", b"<html></html>"])
def test_an_answer_that_is_none_of_the_platforms(ground, body):
    """Never an exception of another kind, and never taken for an empty list."""
    ground.shop.place_order(placed=START)
    ground.fetched()

    def swap(request, response) -> None:
        response.body = body

    with around(ground.place, after=swap):
        assert type(error_of_reading(ground)) is Unavailable


def test_the_secret_never_travels_readable_in_an_address(ground):
    seen: list[str] = []
    with around(ground.place, before=lambda request: seen.append(request.target)):
        ground.adapter.check()
        ground.fetched()
        ground.adapter.find(ITEM, "SKU-0001")
    hidden = [
        ground.place.credentials[field.name]
        for field in ground.adapter.credential_fields
        if field.is_secret and ground.place.credentials.get(field.name)
    ]
    # A key's public half may stand there, signed (OAuth 1.0a over plain HTTP).
    public = {"consumer_key"}
    hidden = [value for value in hidden if value not in {ground.place.credentials.get(name) for name in public}]
    assert seen and not [target for target in seen for secret in hidden if secret in target]
