"""The matrix of platforms, in the panel and in README.md, and what the page of a cart says of its platform."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from carts.forms import CartForm
from carts.models import Cart
from carts.platforms import REGISTRY, adapter_class
from carts.services import control, platform_facts
from sandbox.testing import practice_shop
from tests.engine.helpers import connected_cart

DAY = date(2027, 4, 1)


def test_the_table_in_the_readme_is_what_the_adapters_say():
    """Stale? make readme"""
    text = (Path(settings.BASE_DIR) / "README.md").read_text()
    assert platform_facts.with_table(text) == text
    for adapter in REGISTRY.values():
        assert adapter.label in platform_facts.markdown()


def test_the_page_shows_every_platform_and_is_linked_from_carts_and_settings(signed_in, new_cart):
    new_cart()
    page = signed_in.get(reverse("carts:platforms"))
    assert [question for question, _ in page.context["cells"]] == [row.question for row in platform_facts.matrix()]
    text = page.content.decode()
    for adapter in REGISTRY.values():
        assert adapter.label in text
    for name in ("list", "settings", "add"):
        assert reverse("carts:platforms") in signed_in.get(reverse(f"carts:{name}")).content.decode()


def test_what_a_platform_cannot_set_is_named():
    can = adapter_class("woocommerce").capabilities
    rows = {question: answer(can) for question, answer in platform_facts.QUESTIONS}
    assert rows["Set on an item"] == "all but stock-keeping"
    assert rows["Set on a variation"] == "all but name, stock-keeping"
    assert rows["Changed customers are found"] == "by comparing all, every 6 h"
    assert rows["Changed items are found"] == "by when they changed, every 60 s; all compared every 6 h"
    none = replace(can, item_fields=frozenset(), stock_settles_seconds=10, api_version="2026-07", api_retires=DAY)
    rows = {question: answer(none) for question, answer in platform_facts.QUESTIONS}
    assert rows["Set on an item"] == "nothing"
    assert rows["A quantity sent counts as shown"] == "read again 10 s later, until it is done"
    assert rows["Version of the API"] == "2026-07, until 2027-04-01"


@pytest.mark.parametrize(
    ("days_before", "told"),
    [(91, ""), (90, "in 90 days"), (1, "in 1 day."), (0, "retired on 2027-04-01"), (-5, "retired on 2027-04-01")],
)
def test_the_end_of_an_api_version_is_told_ninety_days_ahead(days_before, told):
    can = replace(adapter_class("woocommerce").capabilities, api_version="2026-07", api_retires=DAY)
    warning = platform_facts.retirement(can, DAY - timedelta(days=days_before)).warning
    assert (told in warning) if told else warning == ""


def test_the_cart_s_page_tells_version_retirement_and_stock_location(
    signed_in, staff, new_cart, monkeypatch, time_machine
):
    cart = new_cart()
    can = replace(adapter_class("woocommerce").capabilities, api_version="2026-07", api_retires=DAY, has_locations=True)
    monkeypatch.setattr(adapter_class("woocommerce"), "capabilities", can)
    Cart.objects.update(shop_name="Shop", shop_locations=[["1", "Warehouse"], ["2", "Store"]])
    page = reverse("carts:cart", args=[cart.pk])
    text = signed_in.get(page).content.decode()
    assert "retires on 2027-04-01" in text and "Not chosen yet" in text
    assert "which the platform retires" in text and "After that the cart may refuse us" not in text
    Cart.objects.update(stock_location="2")
    time_machine.move_to("2027-03-01T12:00:00Z", tick=False)
    signed_in.force_login(staff)
    text = signed_in.get(page).content.decode()
    assert "in 31 days. After that the cart may refuse us" in text and "Store" in text


@pytest.mark.parametrize("platform", REGISTRY)
def test_a_cart_of_each_platform_is_added_with_its_own_credentials_and_statuses(signed_in, platform):
    adapter = adapter_class(platform)
    page = signed_in.get(f"{reverse('carts:add')}?platform={platform}").content.decode()
    for field in adapter.credential_fields:
        assert f'name="credential_{field.name}"' in page
    data = {name: value for name, value in initial(platform).items() if value is not None and value is not False}
    data |= {f"credential_{field.name}": f"value-of-{field.name}" for field in adapter.credential_fields}
    data |= {"platform": platform, "name": "New", "url": "https://shop.example.test"}
    answer = signed_in.post(reverse("carts:add"), data)
    assert answer.status_code == 302, answer.context["form"].errors
    cart = Cart.objects.get()
    assert cart.platform == platform
    assert cart.order_statuses == list(adapter.capabilities.paid_statuses)
    view = signed_in.get(reverse("carts:cart", args=[cart.pk])).content.decode()
    for field in adapter.credential_fields:
        assert field.label in view
        assert (f"value-of-{field.name}" in view) is not field.is_secret
        assert ("Not always needed." in view) is any(not each.is_required for each in adapter.credential_fields)


def initial(platform: str) -> dict:
    form = CartForm(instance=control.new_cart(platform))
    return {field.html_name: field.value() for field in form}


@pytest.mark.parametrize("platform", REGISTRY)
def test_start_tells_how_many_orders_there_are_or_that_nobody_counts_them(db, platform):
    """Never the number of rows that were asked for."""
    with practice_shop(platform=platform) as place:
        for _ in range(3):
            place.shop.place_order(status="processing")
        plan = control.start_plan(connected_cart(place))
    assert plan.order_count in (3, None)
    assert ("a rehearsal does" in plan.count_note) is (plan.order_count is None)
