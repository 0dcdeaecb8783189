"""What the engine's tests do and look at, through the services and the back office's own tables."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection, connections

from backoffice.models import Document
from backoffice.services import items
from backoffice.types import NewItem
from carts.choices import Kind, Outcome, RecordState
from carts.models import Cart, Feed, Record, Run
from carts.services import control, feeds, leases
from carts.services.connections import adapter_for
from sandbox.testing import PracticeShop
from tests.contract.harness import HARNESSES

# The practice shop's history reaches back 60 days.
LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=90)


def connected_cart(place: PracticeShop, *, name: str = "Shop", fence: datetime = LONG_AGO, **settings: Any) -> Cart:
    """A cart that passed Test Connection and is STOPPED; `settings` are fields of its form. Where the shop keeps stock
    in several places, the first is ours."""
    changes = {"platform": place.platform_name, "name": name, "url": place.address, "last_order_from": fence}
    cart = control.create_cart({**changes, **settings}, place.credentials, "staff")
    result = control.test_connection(cart, "staff")
    assert result.passed, result.message
    cart = fresh(cart)
    if control.location_is_open(cart):
        cart = save(cart, stock_location=cart.shop_locations[0][0])
    return cart


def running_cart(place: PracticeShop, **settings: Any) -> Cart:
    cart = connected_cart(place, **settings)
    control.start(cart, "staff", without_rehearsal=True)
    return fresh(cart)


def know_the_items(place: PracticeShop, *, but: Iterable[str] = ()) -> dict[str, int]:
    """Every SKU the shop sells as an item of ours, save `but`; item ids by SKU."""
    skus = {product.sku: product.name for product in place.shop.products.rows.values() if product.sku}
    return {
        sku: items.create_item(NewItem(sku=sku, name=name or sku)) for sku, name in skus.items() if sku not in set(but)
    }


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def feed_of(cart: Cart) -> Feed:
    return Feed.objects.get(cart=cart, kind=Kind.ORDER)


def poll(cart: Cart) -> Run | None:
    """One poll, as a worker does it."""
    feed = feed_of(cart)
    token = leases.claim_feed(feed.pk)
    assert token, "the feed could not be claimed"
    return feeds.poll(feed.pk, token)


def try_poll(cart: Cart) -> Run | None:
    """A poll if the feed may be had just now, as a tick would find it."""
    feed = feed_of(cart)
    token = leases.claim_feed(feed.pk)
    return feeds.poll(feed.pk, token) if token else None


def save(cart: Cart, **changes: Any) -> Cart:
    """Save the cart's form with these changes."""
    cart = fresh(cart)
    return control.save_cart(cart, changes, {}, "staff", cart.settings_version)


def external_id(place: PracticeShop | Cart, row: Any, kind: str = Kind.ORDER) -> str:
    """What the platform calls a row of the practice shop."""
    name = place.platform if isinstance(place, Cart) else place.platform_name
    return HARNESSES[name].external_id(kind, row)


def record_of(cart: Cart, order: Any) -> Record:
    return Record.objects.get(cart=cart, kind=Kind.ORDER, external_id=external_id(cart, order))


def statuses(place: PracticeShop, cart: Cart) -> dict[str, str]:
    """Of every order of the shop, by its id, in the platform's own words."""
    adapter = adapter_for(cart)
    ids = [external_id(place, order) for order in place.shop.orders.rows.values()]
    batches = (adapter.fetch_many(Kind.ORDER, ids[at : at + 100]) for at in range(0, len(ids), 100))
    return {row.external_id: adapter.parse_order(row.body).status for batch in batches for row in batch}


def states(cart: Cart) -> dict[str, str]:
    rows = Record.objects.filter(cart=cart, kind=Kind.ORDER)
    return dict(rows.values_list("external_id", "state"))


def documents(cart: Cart) -> dict[str, Document]:
    """By the order's id; more than one of an order fails here."""
    rows = list(Document.objects.filter(source=cart.source))
    found = {row.source_ref: row for row in rows}
    assert len(found) == len(rows)
    return found


def assert_none_lost_none_doubled(place: PracticeShop, cart: Cart) -> None:
    """Every paid order of the shop since the fence is one PENDING document with the shop's own figures; every other
    order since then has a record that says why not; there is nothing else."""
    cart = fresh(cart)
    since_fence = [o for o in place.shop.orders.rows.values() if o.created >= cart.order_fence and o.status != "trash"]
    told = statuses(place, cart)
    paid = {
        external_id(place, order): order
        for order in since_fence
        if told[external_id(place, order)] in cart.order_statuses
    }
    found = documents(cart)
    assert set(found) == set(paid)
    for ref, order in paid.items():
        document = found[ref]
        assert document.state == "pending"
        assert (document.total, document.tax_total, document.discount_total, document.currency) == (
            order.total, order.total_tax, order.discount_total, order.currency,
        )  # fmt: skip
    known = states(cart)
    assert {ref for ref, state in known.items() if state == RecordState.IMPORTED} == set(paid)
    assert {external_id(place, order) for order in since_fence} <= set(known)
    linked = Record.objects.filter(cart=cart, kind=Kind.ORDER, state=RecordState.IMPORTED)
    assert dict(linked.values_list("external_id", "local_id")) == {ref: row.pk for ref, row in found.items()}


def assert_runs_add_up(cart: Cart) -> None:
    """Each run is over, and its counts are those of its items."""
    for run in Run.objects.filter(cart=cart):
        assert not run.is_active, f"{run} is {run.state}"
        of_items: dict[str, int] = {}
        for outcome in run.items.values_list("outcome", flat=True):
            of_items[outcome] = of_items.get(outcome, 0) + 1
        told = {outcome: count for outcome, count in run.counts.items() if outcome != Outcome.UNCHANGED}
        assert told == {outcome: count for outcome, count in of_items.items() if outcome != Outcome.UNCHANGED}


def row_counts(*, but: Iterable[str] = ()) -> dict[str, int]:
    """How many rows every table of carts and the back office has."""
    models = [*apps.get_app_config("carts").get_models(), *apps.get_app_config("backoffice").get_models()]
    return {model.__name__: model.objects.count() for model in models if model.__name__ not in set(but)}


class Writes:
    """Collects every statement that changes something while it is entered."""

    def __enter__(self) -> list[str]:
        self.seen: list[str] = []
        self._context = connection.execute_wrapper(self._note)
        self._context.__enter__()
        return self.seen

    def _note(self, execute: Callable, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().split(" ", 1)[0].upper() in ("INSERT", "UPDATE", "DELETE", "COPY", "WITH"):
            self.seen.append(sql)
        return execute(sql, params, many, context)

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(*error)


class Worker(threading.Thread):
    """Work in a thread of its own, with its own connection; `join` raises what it raised."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._error: BaseException | None = None
        self.result: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self._error = error
        finally:
            connections.close_all()

    def join(self, timeout: float | None = 60) -> None:
        super().join(timeout)
        assert not self.is_alive(), "the worker did not come to an end"
        if self._error is not None:
            raise self._error


def elsewhere(work: Callable[[], Any]) -> Any:
    """Do it in another thread and wait for its end: another process's work, seen from here."""
    worker = Worker(work)
    worker.join()
    return worker.result


def wait_until(condition: Callable[[], Any], *, seconds: float = 60) -> None:
    """Wait for what another thread or process is about to do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
