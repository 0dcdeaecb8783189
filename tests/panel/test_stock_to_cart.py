"""The panel of stock that goes to the cart: rehearsed, started, told, and mended when it could not be sent."""

import pytest
from django.test import Client
from django.urls import reverse

from carts.choices import Outcome, PushState, RunState
from carts.models import Cart, Outbox, Push, Run
from carts.services import control, problems, rehearsal_to, state, ticking
from tests.engine.helpers import fresh, save
from tests.push.conftest import cart, count_in, kept, no_waiting, place, shows, writes  # noqa: F401

BUTTON = "Rehearse To Cart"


@pytest.fixture
def staff(admin_client: Client) -> Client:
    return admin_client


def test_a_rehearsal_tells_old_and_new_and_writes_nothing(cart, place, staff):  # noqa: F811
    product_id, item = kept(place)
    before = shows(place, product_id)
    count_in(item, 7)
    control.stop(fresh(cart), "staff")
    Push.objects.all().delete()
    assert BUTTON in staff.get(reverse("carts:cart", args=[cart.pk])).text
    answer = staff.post(reverse("carts:rehearse_to", args=[cart.pk]), {"request_key": "one"})
    run = Run.objects.get(kind="rehearsal_to")
    assert answer.url == reverse("carts:run", args=[run.pk])
    ticking.work_on_run(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.DONE and run.counts[Outcome.SENT] >= 1
    shown = staff.get(reverse("carts:run", args=[run.pk])).text
    assert f"The shop shows {before}; it would show 7." in shown and "Would change" in shown
    assert writes(place) == [] and not Push.objects.exists() and shows(place, product_id) == before


def test_start_asks_for_the_rehearsal_until_it_was_made_with_these_settings(cart, place, staff):  # noqa: F811
    control.stop(fresh(cart), "staff")
    Cart.objects.update(rehearsed_for=control.rehearsal_digest(fresh(cart)))
    start = reverse("carts:start", args=[cart.pk])
    assert "To Cart was not rehearsed with these settings" in staff.get(start).text
    staff.post(start)
    assert not fresh(cart).is_running
    ticking.work_on_run(rehearsal_to.begin(fresh(cart), "staff").pk)
    assert control.unrehearsed(fresh(cart)) == ()
    assert "linked items in the shop to ours" in staff.get(start).text
    save(cart, safety_buffer=2)
    assert len(control.unrehearsed(fresh(cart))) == 1
    staff.post(start, {"without_rehearsal": "on"})
    assert fresh(cart).is_running


def test_a_rehearsal_is_refused_while_nothing_goes_to_the_cart(cart, staff):  # noqa: F811
    save(cart, to_stock_updates=False)
    shown = staff.post(reverse("carts:rehearse_to", args=[cart.pk]), follow=True).text
    assert "all updates To Cart are off" in shown and not Run.objects.filter(kind="rehearsal_to").exists()
    assert BUTTON not in shown


def test_stock_that_could_not_be_sent_is_a_problem_until_it_is_mended(cart, place, staff):  # noqa: F811
    product_id, item = kept(place)
    row = place.shop.products.rows[product_id]
    with place.shop.changing():
        row.manages_stock = False
        place.shop.save(place.shop.products, row)
    count_in(item, 7)
    ticking.push_stock(cart.pk)
    assert problems.count() == 1
    assert "could not be sent: see Problems" in state.state_of(fresh(cart)).text
    shown = staff.get(reverse("carts:problems")).text
    assert item.sku in shown and "Tick Manage stock" in shown
    assert "1 not sent" in staff.get(reverse("carts:cart", args=[cart.pk])).text
    with place.shop.changing():
        row.manages_stock = True
        place.shop.save(place.shop.products, row)
    push = Push.objects.get()
    staff.post(reverse("carts:unsent", args=[push.pk]), {"action": "retry"})
    ticking.push_stock(cart.pk)
    assert shows(place, product_id) == 7 and problems.count() == 0
    # The page was open in a second tab.
    answer = staff.post(reverse("carts:unsent", args=[push.pk]), {"action": "retry"}, follow=True)
    assert "has been sent meanwhile" in answer.text


def test_ignored_stock_comes_back_with_its_next_change(cart, place, staff):  # noqa: F811
    product_id, item = kept(place)
    place.shop.products.rows[product_id].manages_stock = False
    count_in(item, 7)
    ticking.push_stock(cart.pk)
    staff.post(reverse("carts:unsent", args=[Push.objects.get().pk]), {"action": "ignore"})
    assert not Push.objects.exists()
    count_in(item, 1)
    assert Push.objects.get().state == PushState.WAITING


def test_a_key_the_shop_refuses_stands_in_the_state_and_under_problems(cart, place, staff):  # noqa: F811
    count_in(kept(place)[1], 7)
    place.faults.add("401", match="/products", times=0)
    ticking.push_stock(cart.pk)
    assert Outbox.objects.get().needs_person
    told = state.state_of(fresh(cart))
    assert "Stock is not sent and needs you" in told.text and told.tone == "danger"
    assert "Stock is not sent. The shop refused the key" in staff.get(reverse("carts:problems")).text


def test_retry_needs_a_member_of_staff_and_a_post(cart, client, staff):  # noqa: F811
    url = reverse("carts:unsent", args=[1])
    assert staff.get(url).status_code == 405
    client.logout()
    assert client.post(url).status_code in (302, 403)
