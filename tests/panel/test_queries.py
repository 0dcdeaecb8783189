"""No page asks the database more often because there is more to show."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.services import customers, items
from backoffice.types import NewCustomer, NewItem
from carts import gateway
from carts.choices import Kind, Outcome, Reason, RecordState, RunKind, RunState
from carts.models import Cart, HeldFor, Record, Run, RunItem
from carts.services import selection, ticking

numbers = count(1)


def statements(client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def fill(cart: Cart, size: int) -> None:
    """Held orders with a cause each, runs, items and customers of ours that are linked with this cart."""
    now = timezone.now()
    for number in (next(numbers) for _ in range(size)):
        item = items.create_item(NewItem(sku=f"SKU-X{number}", name=f"Item {number}"))
        (customer,) = customers.create_customers([NewCustomer(name=f"Buyer {number}", import_key=f"buyer-{number}")])
        common = {"cart": cart, "payload": "{}", "digest": b"0" * 16, "seen_at": now, "changed_at": now}
        held = Record.objects.create(
            kind=Kind.ORDER, external_id=f"h{number}", label=str(number), state=RecordState.HELD, **common
        )
        HeldFor.objects.create(record=held, cart=cart, reason_code=Reason.UNKNOWN_SKU, key=f"u{number}", label="U")
        for kind, local_id in ((Kind.ITEM, item), (Kind.CUSTOMER, customer)):
            Record.objects.create(
                kind=kind, external_id=f"{number}", state=RecordState.IMPORTED, local_id=local_id, **common
            )
        run = Run.objects.create(cart=cart, kind=RunKind.SYNC, state=RunState.DONE, counts={"new": 1})
        Run.objects.filter(pk=run.pk).update(created_at=now - timedelta(seconds=number))


@pytest.mark.parametrize("name", ["dashboard", "list", "problems", "runs", "items", "customers"])
def test_pages_of_what_we_know(signed_in, new_cart, name):
    cart = new_cart(name="First")
    fill(cart, 2)
    url = {"dashboard": reverse("admin:index"), "items": reverse("carts:items", args=[cart.pk])}.get(name)
    url = url or (reverse("carts:customers", args=[cart.pk]) if name == "customers" else reverse(f"carts:{name}"))
    few = statements(signed_in, url)
    fill(cart, 12)
    fill(new_cart(name="Second"), 3)
    assert statements(signed_in, url) == few


def test_the_live_list_the_run_and_the_documents(signed_in, cart, shop):
    for product in shop.shop.products.rows.values():
        if product.sku:
            gateway.create_item_named(product.sku, product.name)
    live = reverse("carts:cart_orders", args=[cart.pk])
    ids = [row.external_id for row in signed_in.get(live).context["page"].rows]
    runs = [selection.begin(cart, Kind.ORDER, ids[:2], "staff"), selection.begin(cart, Kind.ORDER, ids[2:40], "staff")]
    few = {}
    for run in runs:
        ticking.work_on_run(run.pk)
        assert set(RunItem.objects.filter(run=run).values_list("outcome", flat=True)) == {Outcome.NEW}
        urls = {
            "live": live,
            "run": reverse("carts:run", args=[run.pk]),
            "orders": reverse("carts:orders", args=[cart.pk]),
        }
        asked = {name: statements(signed_in, url) for name, url in urls.items()}
        few = few or asked
    assert asked == few
