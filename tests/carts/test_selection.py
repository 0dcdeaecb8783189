"""Import selected of items and customers: matched first, created only where there is no match."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from backoffice.models import Customer, Item
from backoffice.services import customers, items
from backoffice.types import NewCustomer, NewItem
from carts.choices import Kind, Outcome, Reason, RecordState, RunState
from carts.models import Cart, Record, Run, RunItem
from carts.records import Listing
from carts.services import performing, selection, ticking
from carts.services.connections import adapter_for
from sandbox.testing import PracticeShop

pytestmark = pytest.mark.django_db(transaction=True)


def work(run: Run) -> Run:
    ticking.work_on_run(run.pk)
    return Run.objects.get(pk=run.pk)


def import_all(cart: Cart, kind: Kind) -> Run:
    return work(selection.begin_matching(cart, kind, Listing(), "staff"))


def product_ids(cart: Cart) -> dict[str, str]:
    """External id by SKU of the products without variations."""
    adapter = adapter_for(cart)
    parsed = [adapter.parse_item(row.body) for row in adapter.listing(Kind.ITEM, Listing(per_page=100)).rows]
    return {item.sku: item.external_id for item in parsed if item.sku and not item.has_variations}


def test_every_item_and_variation_arrives_once_and_a_second_import_creates_nothing(cart: Cart) -> None:
    first = import_all(cart, Kind.ITEM)
    items_after_first = set(Item.objects.values_list("pk", "sku"))
    assert items_after_first
    linked = Record.objects.filter(cart=cart, kind=Kind.ITEM, local_id__isnull=False)
    groups = Item.objects.exclude(variations=None).distinct()
    assert linked.count() == len(items_after_first) - groups.count()
    assert groups.exists(), "a product with variations is the group of its variations"
    assert linked.exclude(parent_id="").exists(), "variations are items of their own"
    second = import_all(cart, Kind.ITEM)
    assert set(Item.objects.values_list("pk", "sku")) == items_after_first
    assert second.counts.get(Outcome.ALREADY) == first.counts[Outcome.NEW]
    assert Outcome.NEW not in second.counts


def test_an_item_we_have_is_linked_by_sku_whatever_its_case_and_spaces(cart: Cart) -> None:
    sku, external_id = next(iter(product_ids(cart).items()))
    ours = items.create_item(NewItem(sku=f" {sku.lower()} ", name="Ours"))
    run = work(selection.begin(cart, Kind.ITEM, [external_id], "staff"))
    assert run.counts == {Outcome.ALREADY: 1}
    assert Record.objects.get(cart=cart, kind=Kind.ITEM, external_id=external_id).local_id == ours
    assert Item.objects.get().name == "Ours"


def test_a_product_without_sku_is_told_and_the_others_go_on(cart: Cart, shop: PracticeShop) -> None:
    run = import_all(cart, Kind.ITEM)
    refused = list(run.items.filter(outcome=Outcome.FAILED).values_list("message", flat=True))
    assert len(refused) == 1
    assert run.state == RunState.PARTLY_FAILED
    assert all("has no SKU in the shop. Give it one there, then import again." in text for text in refused)
    assert run.counts[Outcome.NEW] + len(refused) == run.total


def test_customers_are_matched_by_email_and_two_candidates_are_asked(cart: Cart) -> None:
    adapter = adapter_for(cart)
    rows = adapter.listing(Kind.CUSTOMER, Listing(per_page=100)).rows
    parsed = [adapter.parse_customer(row.body) for row in rows]
    one, two = [customer for customer in parsed if customer.email][:2]
    (ours,) = customers.create_customers([NewCustomer(name="Ours", emails=(one.email.upper(),))])
    customers.create_customers([NewCustomer(name=name, emails=(two.email,)) for name in ("A", "B")])
    run = import_all(cart, Kind.CUSTOMER)
    assert Record.objects.get(cart=cart, kind=Kind.CUSTOMER, external_id=one.external_id).local_id == ours
    asked = run.items.get(external_id=two.external_id)
    assert (asked.outcome, asked.reason_code) == (Outcome.HELD, Reason.AMBIGUOUS_CUSTOMER)
    assert asked.message == f"2 customers have the e-mail address {two.email}."
    assert Customer.objects.count() == 3 + len(parsed) - 2


def test_orders_picked_by_hand_come_at_any_date_and_twice_is_once(cart: Cart, known_items: None) -> None:
    Cart.objects.filter(pk=cart.pk).update(order_fence="2099-01-01T00:00Z")
    cart.refresh_from_db()
    rows = adapter_for(cart).listing(Kind.ORDER, Listing(per_page=3)).rows
    ids = [row.external_id for row in rows]
    first = selection.begin(cart, Kind.ORDER, ids, "staff", "one click")
    assert selection.begin(cart, Kind.ORDER, ids, "staff", "one click").pk == first.pk
    done = work(first)
    assert sum(done.counts.values()) == 3
    outcomes = set(RunItem.objects.filter(run=done).values_list("outcome", flat=True))
    assert outcomes <= {Outcome.NEW, Outcome.HELD}
    again = work(selection.begin(cart, Kind.ORDER, ids, "staff", "another click"))
    imported = Record.objects.filter(cart=cart, kind=Kind.ORDER, state=RecordState.IMPORTED).count()
    assert again.counts.get(Outcome.ALREADY, 0) == imported
    assert Outcome.NEW not in again.counts


def test_a_record_gone_from_the_cart_is_told(cart: Cart) -> None:
    run = work(selection.begin(cart, Kind.ORDER, ["99999999"], "staff"))
    assert run.state == RunState.PARTLY_FAILED
    assert run.items.get().message == "The cart does not have it any more."


def test_a_shop_that_asks_for_time_gets_it_and_the_import_goes_on_by_itself(
    cart: Cart, shop: PracticeShop, known_items: None
) -> None:
    ids = [row.external_id for row in adapter_for(cart).listing(Kind.ORDER, Listing(per_page=3)).rows]
    shop.faults.add("429", match=r"/orders", retry_after=600)
    run = work(selection.begin(cart, Kind.ORDER, ids, "staff"))
    assert run.state == RunState.RUNNING
    assert run.items.filter(outcome=Outcome.PENDING).count() == 3
    assert run.pk not in ticking.forsaken_runs()
    with time_machine.travel(timezone.now() + timedelta(seconds=601)):
        assert run.pk in ticking.forsaken_runs()
        done = work(run)
    assert sum(done.counts.values()) == 3
    assert Outcome.PENDING not in done.counts
    assert done.state == RunState.DONE


def test_a_shop_that_never_answers_ends_the_import_with_what_is_left(cart: Cart, shop: PracticeShop) -> None:
    shop.faults.add("500", match=r"/orders", times=0)
    run = selection.begin(cart, Kind.ORDER, ["1", "2"], "staff")
    for tries in range(performing.MAX_TRIES + 1):
        with time_machine.travel(timezone.now() + timedelta(hours=tries)):
            run = work(run)
    assert run.state == RunState.FAILED
    assert run.error.endswith("2 records were not read; import them again.")
    assert run.lease_until is None
