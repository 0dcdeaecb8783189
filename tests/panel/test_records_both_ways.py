"""The panel of items and customers that pass both ways: tabs, export, owners, conflicts, what the page tells."""

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.models import Item
from carts.choices import Kind, Outcome, Owner, PushState, RunKind
from carts.models import Cart, Conflict, Push, Record, Run
from carts.services import control, problems, ticking
from tests.engine.helpers import fresh, save
from tests.push.conftest import no_waiting, place, writes  # noqa: F401
from tests.push.test_records import cart, edit_here, edit_there, item_pair, record_of, turn  # noqa: F401


@pytest.fixture
def staff(admin_client: Client) -> Client:
    return admin_client


def conflict(cart: Cart, place) -> tuple:  # noqa: F811
    product, item = item_pair(place)
    edit_there(place, product, regular_price="20")
    edit_here(item, price=30)
    turn(cart)
    return product, item


def answer(staff: Client, side: str) -> str:
    return staff.post(reverse("carts:conflict", args=[Conflict.objects.get().pk]), {"side": side}, follow=True).text


def test_a_conflict_shows_both_values_and_is_counted(cart, place, staff):  # noqa: F811
    product, _ = conflict(cart, place)
    shown = staff.get(reverse("carts:problems")).text
    assert all(text in shown for text in ("Changed on both sides", "Price", ">30<", ">20<", "Keep ours", product.sku))
    assert problems.count() == 1


def test_keeping_ours_sends_it(cart, place, staff):  # noqa: F811
    product, item = conflict(cart, place)
    assert "Ours counts. It goes to the cart at once." in answer(staff, "ours")
    turn(cart)
    assert place.shop.products.rows[product.id].regular_price == "30" and fresh(item).price == 30
    assert len(writes(place)) == 1 and not Conflict.objects.exists() and problems.count() == 0


def test_taking_the_cart_s_sets_it_here_and_sends_nothing(cart, place, staff):  # noqa: F811
    _, item = conflict(cart, place)
    assert "stands here now" in answer(staff, "theirs")
    turn(cart)
    assert fresh(item).price == 20 and writes(place) == [] and not Conflict.objects.exists()


def test_a_conflict_that_ends_by_itself_is_no_problem_any_more(cart, place, staff):  # noqa: F811
    product, _ = conflict(cart, place)
    edit_there(place, product, regular_price="30")
    turn(cart)
    assert not Conflict.objects.exists() and writes(place) == []


def test_keeping_ours_while_nothing_is_sent_says_so(cart, place, staff):  # noqa: F811
    conflict(cart, place)
    save(cart, to_item_updates=False)
    assert "It is not sent to the cart" in answer(staff, "ours")
    turn(cart)
    assert writes(place) == []


def test_the_tab_tells_where_the_two_stand_and_can_be_narrowed(cart, place, staff):  # noqa: F811
    save(cart, to_item_updates=False)
    product, item = item_pair(place)
    _, other = item_pair(place, 1)
    Record.objects.filter(cart=cart, local_id=other.pk).delete()
    edit_here(item, price=99)
    tab = reverse("carts:items", args=[cart.pk])
    assert "Changed here" in staff.get(tab).text
    for state, sku in (("here", item.sku), ("unlinked", other.sku)):
        shown = staff.get(tab, {"state": state}).text
        assert f">{sku} " in shown and f">{product.sku if state == 'unlinked' else other.sku} " not in shown
    assert staff.get(tab, {"state": "both"}).text.count('name="ids"') == 0


def test_export_selected_is_a_run_and_the_same_click_twice_is_one(cart, place, staff):  # noqa: F811
    new = [Item.objects.create(sku=f"NEW-{number}", name=f"New {number}", price=5) for number in range(3)]
    form = {"kind": "item", "ids": [each.pk for each in new], "request_key": "click"}
    first = staff.post(reverse("carts:export", args=[cart.pk]), form)
    assert staff.post(reverse("carts:export", args=[cart.pk]), form).url == first.url
    run = Run.objects.get(kind=RunKind.EXPORT)
    ticking.work_on_run(run.pk)
    assert fresh(run).counts == {Outcome.CREATED: 3}
    assert "Created in the cart" in staff.get(first.url).text
    skus = {row.sku for row in place.shop.products.rows.values()}
    assert {each.sku for each in new} <= skus


def test_all_that_match_are_exported_in_a_second_step(cart, place, staff):  # noqa: F811
    for number in range(2):
        Item.objects.create(sku=f"ONLY-{number}", name=f"Only {number}", price=5)
    tab = reverse("carts:items", args=[cart.pk])
    unlinked = Item.objects.exclude(pk__in=Record.objects.filter(local_id__isnull=False).values("local_id")).count()
    assert f"Export all {unlinked} matching" in staff.get(tab, {"state": "unlinked", "all": "1"}).text
    address = f"{reverse('carts:export', args=[cart.pk])}?state=unlinked"
    staff.post(address, {"kind": "item", "matching": "1", "request_key": "all"})
    assert Run.objects.get(kind=RunKind.EXPORT).items.count() == unlinked


def test_a_rehearsed_export_tells_what_would_happen_and_writes_nothing(cart, place, staff):  # noqa: F811
    save(cart, to_item_updates=False)
    product, item = item_pair(place)
    edit_here(item, price=99)
    new = Item.objects.create(sku="WOULD-BE", name="Would be", price=5)
    form = {"kind": "item", "ids": [item.pk, new.pk], "request_key": "click", "then": "rehearse"}
    url = staff.post(reverse("carts:export", args=[cart.pk]), form).url
    ticking.work_on_run(Run.objects.get(kind=RunKind.REHEARSAL_TO).pk)
    shown = staff.get(url).text
    assert f"Price: {product.regular_price.rstrip('0').rstrip('.')} → 99" in shown and "Would create" in shown
    assert writes(place) == [] and not any(row.sku == "WOULD-BE" for row in place.shop.products.rows.values())


def test_a_rehearsal_of_to_cart_tells_changed_fields_with_old_and_new(cart, place, staff):  # noqa: F811
    control.stop(fresh(cart), "staff")
    product, item = item_pair(place)
    edit_here(item, price=99)
    staff.post(reverse("carts:rehearse_to", args=[cart.pk]), {"request_key": "one"})
    for run in Run.objects.filter(kind=RunKind.REHEARSAL_TO):
        ticking.work_on_run(run.pk)
    of_items, of_customers = Run.objects.filter(kind=RunKind.REHEARSAL_TO).order_by("pk")
    assert of_items.counts.get(Outcome.SENT) == 1 and of_customers.record_kind == Kind.CUSTOMER
    assert "→ 99" in of_items.items.get(outcome=Outcome.SENT).message
    assert writes(place) == []
    # What was changed while the cart was STOPPED goes with Start.
    control.start(fresh(cart), "staff", without_rehearsal=True)
    turn(cart)
    assert place.shop.products.rows[product.id].regular_price == "99"


def test_owners_are_chosen_field_by_field_and_contradictions_are_told(cart, staff):  # noqa: F811
    page = reverse("carts:owners", args=[cart.pk])
    form = {field.html_name: field.value() for field in staff.get(page).context["form"]}
    staff.post(page, form | {"item.price": "cart", "customer.phone": "system"})
    assert fresh(cart).field_owners == {"item.price": Owner.CART, "customer.phone": Owner.SYSTEM}
    assert "belongs to the cart" not in staff.get(page).text
    save(cart, from_item_updates=False)
    assert "Price of items belongs to the cart, but updates From Cart are off" in staff.get(page).text
    assert "Price of items belongs to the cart" in staff.get(reverse("carts:cart", args=[cart.pk])).text


def test_the_page_tells_how_changes_are_found_and_how_old_an_answer_can_be(cart, staff):  # noqa: F811
    shown = staff.get(reverse("carts:cart", args=[cart.pk])).text
    assert "Found by the time they were changed, every 60 seconds" in shown
    assert "The shop cannot name those that changed, so all customers are compared every 6 hours" in shown
    assert "next version" not in shown


def test_what_could_not_be_sent_waits_under_problems_with_retry_and_ignore(cart, place, staff):  # noqa: F811
    product, item = item_pair(place)
    push = Push.objects.create(
        cart=cart, kind="item", local_id=item.pk, state=PushState.FAILED, reason="The cart refused the change.",
        marked_at=fresh(cart).started_at,
    )  # fmt: skip
    shown = staff.get(reverse("carts:problems")).text
    assert "The cart refused the change." in shown and item.sku in shown
    edit_here(item, price=41)
    staff.post(reverse("carts:unsent", args=[push.pk]), {"action": "retry"})
    ticking.push_records(cart.pk, "item")
    assert place.shop.products.rows[product.id].regular_price == "41" and not Push.objects.exists()
