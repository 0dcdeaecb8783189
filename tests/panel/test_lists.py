"""The list tabs: the live cart, what is picked out of it, and our own records."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from carts.choices import Kind, Outcome, RecordState, RunKind
from carts.models import Cart, Record, Run
from carts.services import ticking
from tests.panel.conftest import sentences


@pytest.fixture
def tab(cart):
    return reverse("carts:cart_orders", args=[cart.pk])


@pytest.fixture
def pick(cart):
    return reverse("carts:import", args=[cart.pk])


def test_orders_of_the_cart_come_newest_first_fifty_a_page(signed_in, tab):
    first = signed_in.get(tab).context["page"]
    second = signed_in.get(tab, {"position": first.next_position}).context["page"]
    assert (first.total, len(first.rows), bool(first.next_position)) == (60, 50, True)
    assert (len(second.rows), second.next_position) == (10, "")
    placed = [row.placed_at for row in (*first.rows, *second.rows)]
    assert placed == sorted(placed, reverse=True)


def test_filters_stand_in_the_address(signed_in, tab):
    rows = signed_in.get(tab).context["page"].rows
    day = f"{rows[0].placed_at.astimezone():%Y-%m-%d}"
    found = signed_in.get(tab, {"search": rows[0].email, "date_to": f"{timezone.now() + timedelta(days=2):%Y-%m-%d}"})
    assert {row.email for row in found.context["page"].rows} == {rows[0].email}
    wrong = signed_in.get(tab, {"date_from": day, "date_to": "2020-01-01"})
    assert (wrong.context["page"], list(wrong.context["filter"].errors)) == (None, ["date_to"])
    assert signed_in.get(tab, {"status": "cancelled"}).context["page"].rows == ()


def test_a_row_says_what_became_of_it(signed_in, cart, tab):
    newest, next_one, third = signed_in.get(tab).context["page"].rows[:3]
    now = timezone.now()
    Record.objects.create(
        cart=cart, kind=Kind.ORDER, external_id=next_one.external_id, label=next_one.label, state=RecordState.HELD,
        reason="SKU X is not among the items.", payload="{}", digest=b"0" * 16, seen_at=now, changed_at=now,
    )  # fmt: skip
    Cart.objects.filter(pk=cart.pk).update(order_fence=next_one.placed_at)
    rows = signed_in.get(tab).context["page"].rows[:3]
    assert [(row.state_label, row.reason) for row in rows] == [
        ("New", ""),
        ("Held", "SKU X is not among the items."),
        ("Before the start date", ""),
    ]
    assert [row.external_id for row in rows] == [newest.external_id, next_one.external_id, third.external_id]


@pytest.mark.parametrize("name", ["cart_orders", "cart_items", "cart_customers"])
def test_a_cart_that_does_not_answer_leaves_a_page_with_the_reason(signed_in, new_cart, name):
    cart = new_cart(url="http://127.0.0.1:1")
    answer = signed_in.get(reverse(f"carts:{name}", args=[cart.pk]))
    assert answer.status_code == 200
    assert answer.context["error"] and answer.context["page"] is None
    assert "Try again" in answer.content.decode()


def test_the_same_click_twice_makes_one_run_and_another_selection_another(signed_in, tab, pick):
    ids = [row.external_id for row in signed_in.get(tab).context["page"].rows[:3]]
    click = {"kind": "order", "request_key": uuid.uuid4().hex, "ids": ids}
    first, second = signed_in.post(pick, click), signed_in.post(pick, click)
    run = Run.objects.get()
    assert first.url == second.url == reverse("carts:run", args=[run.pk])
    assert sorted(run.items.values_list("external_id", flat=True)) == sorted(ids)
    assert (run.kind, run.started_by, run.total) == (RunKind.IMPORT, "staff", 3)
    signed_in.post(pick, {**click, "ids": ids[:1]})
    assert Run.objects.count() == 2


def test_select_all_matching_is_a_second_step_and_takes_the_filter_along(signed_in, tab, pick):
    page = signed_in.get(tab, {"status": "processing", "all": "1"})
    total = page.context["page"].total
    assert f"Import all {total} matching" in page.content.decode()
    signed_in.post(f"{pick}?status=processing", {"kind": "order", "matching": "1", "request_key": uuid.uuid4().hex})
    run = Run.objects.get()
    assert run.parameters["matching"] == {"status": "processing"}


def test_importing_nothing_is_refused_in_words(signed_in, pick):
    answer = signed_in.post(pick, {"kind": "order", "request_key": uuid.uuid4().hex}, follow=True)
    assert sentences(answer) == ["Nothing was selected, so nothing was imported. Tick some rows first."]
    assert Run.objects.count() == 0


def test_an_import_ends_with_its_figures_and_links(signed_in, tab, pick):
    ids = [row.external_id for row in signed_in.get(tab).context["page"].rows[:3]]
    url = signed_in.post(pick, {"kind": "order", "request_key": uuid.uuid4().hex, "ids": ids}).url
    active = signed_in.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" in active and "<html" not in active
    ticking.work_on_run(Run.objects.get().pk)
    done = signed_in.get(url, headers={"HX-Request": "true"})
    assert "every 2s" not in done.content.decode()
    # Nothing of the catalogue is in the system, so every order is held and may be tried again.
    assert done.context["counts"] == [(Outcome.HELD, "Held", 3)]
    assert done.context["may_retry"] is True
    again = signed_in.post(reverse("carts:run_retry", args=[Run.objects.get().pk]))
    assert sorted(Run.objects.latest("pk").items.values_list("external_id", flat=True)) == sorted(ids)
    assert again.url == reverse("carts:run", args=[Run.objects.latest("pk").pk])


@pytest.mark.parametrize("name", ["cart_items", "cart_customers", "orders", "items", "customers"])
def test_the_other_tabs_show_themselves(signed_in, cart, name):
    answer = signed_in.get(reverse(f"carts:{name}", args=[cart.pk]))
    assert (answer.status_code, answer.context["error"]) == (200, "")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1" * 30, "½"])
def test_a_page_number_without_sense_is_the_first(signed_in, cart, number):
    assert signed_in.get(reverse("carts:orders", args=[cart.pk]), {"page": number}).context["page"].page == 1
