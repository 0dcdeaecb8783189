"""A cart's page: View and Edit mode, Save, Start, Stop, Test Connection, and what never reaches the browser."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from carts import secrets
from carts.choices import CartStatus
from carts.models import Cart
from carts.services import control
from tests.panel.conftest import KEY, SECRET, as_shown, sentences

FENCE = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)


def page_of(cart: Cart) -> str:
    return reverse("carts:cart", args=[cart.pk])


def saved(cart: Cart) -> tuple:
    """Every column of the cart, credentials included."""
    return Cart.objects.filter(pk=cart.pk).values_list().get()


# View and Edit mode -------------------------------------------------------------------------------------


def test_settings_open_to_read_and_edit_shows_the_form(signed_in, new_cart):
    cart = new_cart()
    view = signed_in.get(page_of(cart)).content.decode()
    assert 'id="cart-form"' not in view
    assert ">Save<" not in view.replace("\n", "")
    edit = signed_in.get(page_of(cart) + "?edit=1").content.decode()
    assert 'id="cart-form"' in edit


@pytest.mark.parametrize("mode", ["", "?edit=1"])
def test_only_the_button_that_applies_is_there(signed_in, new_cart, mode):
    cart = new_cart()
    stopped = signed_in.get(page_of(cart) + mode).content.decode()
    assert ("play_circle" in stopped, "stop_circle" in stopped) == (True, False)
    Cart.objects.update(status=CartStatus.RUNNING)
    running = signed_in.get(page_of(cart) + mode).content.decode()
    assert ("play_circle" in running, "stop_circle" in running) == (False, True)


def test_the_tabs_carry_their_names(signed_in, new_cart):
    tabs = signed_in.get(page_of(new_cart())).context["tabs"]
    assert [label for label, _, _ in tabs] == [
        "Auto-sync", "Orders", "Items", "Customers", "Orders (Cart)", "Items (Cart)", "Customers (Cart)",
    ]  # fmt: skip


def test_a_name_with_markup_stays_text_everywhere(signed_in, new_cart):
    cart = new_cart(name="<script>alert(1)</script>")
    for url in (page_of(cart), reverse("carts:list"), reverse("admin:index"), reverse("carts:problems")):
        assert b"<script>alert(1)" not in signed_in.get(url).content


# Saving -------------------------------------------------------------------------------------------------


def test_save_keeps_what_was_entered_in_the_shop_s_time(signed_in, new_cart):
    cart = new_cart()
    Cart.objects.update(shop_timezone="America/New_York")
    answer = signed_in.post(page_of(cart), as_shown(cart, last_order_from="2026-03-01T09:30:00", grace_minutes="15"))
    assert (answer.status_code, answer.url) == (302, page_of(cart))
    cart.refresh_from_db()
    assert (cart.order_fence, cart.last_order_from, cart.grace_minutes) == (FENCE, FENCE, 15)


def test_a_form_sent_as_it_was_shown_moves_no_date(signed_in, new_cart):
    """The date moves on by itself while the form is open; sending the old one back must not become an entry."""
    cart = new_cart(last_order_from=FENCE)
    shown = as_shown(cart, grace_minutes="5")
    moved = FENCE + timedelta(days=2)
    Cart.objects.update(last_order_from=moved)
    signed_in.post(page_of(cart), shown)
    cart.refresh_from_db()
    assert (cart.order_fence, cart.last_order_from, cart.grace_minutes) == (FENCE, moved, 5)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-11-01T01:30:00", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # comes twice: the earlier
        ("2026-03-08T02:30:00", None),  # does not exist
    ],
)
def test_nights_when_the_clocks_change(signed_in, new_cart, typed, moment):
    cart = new_cart()
    Cart.objects.update(shop_timezone="America/New_York")
    answer = signed_in.post(page_of(cart), as_shown(cart, last_order_from=typed))
    cart.refresh_from_db()
    assert cart.order_fence == moment
    if moment is None:
        assert "the clocks were put forward" in answer.context["form"].errors["last_order_from"][0]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", ""),
        ("url", "ftp://shop.example.test"),
        ("url", "https://user:pass@shop.example.test"),
        ("notification_emails", "staff@example.test, nobody"),
        ("currencies", "EUR,DOLLAR"),
        ("last_order_from", "yesterday"),
        ("poll_interval_seconds", "1"),
        ("stand_in_item_id", "NO-SUCH-SKU"),
    ],
)
@pytest.mark.parametrize("then", ["save", "start", "test"])
def test_an_invalid_form_saves_and_starts_nothing(signed_in, new_cart, field, typed, then):
    cart = new_cart(last_order_from=FENCE)
    before = saved(cart)
    data = as_shown(
        cart, **{field: typed, "grace_minutes": "77", "then": then, "credential_consumer_key": "ck_new_key"}
    )
    answer = signed_in.post(page_of(cart), data)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert 'value="77"' in answer.content.decode()
    assert "ck_new_key" not in answer.content.decode()
    assert saved(cart) == before


def test_a_form_opened_before_somebody_else_saved_is_refused(signed_in, new_cart):
    cart = new_cart()
    mine = as_shown(cart, grace_minutes="5")
    signed_in.post(page_of(cart), as_shown(cart, grace_minutes="9"))
    before = saved(cart)
    answer = signed_in.post(page_of(cart), mine)
    assert sentences(answer)[-1].startswith("Somebody saved this cart while you were editing it.")
    assert saved(cart) == before


def test_a_new_cart_is_stopped_and_has_its_credentials(signed_in, db):
    data = as_shown_new(
        name="New", url="https://new.example.test", credential_consumer_key=KEY, credential_consumer_secret=SECRET
    )
    answer = signed_in.post(reverse("carts:add"), data)
    cart = Cart.objects.get(name="New")
    assert (answer.url, cart.status) == (page_of(cart), CartStatus.STOPPED)
    assert secrets.unseal(cart.credentials) == {"consumer_key": KEY, "consumer_secret": SECRET}


def test_a_name_that_is_taken_comes_back_with_what_was_typed(signed_in, new_cart):
    new_cart(name="Shop")
    answer = signed_in.post(reverse("carts:add"), as_shown_new(name="Shop", url="https://new.example.test"))
    assert list(answer.context["form"].errors) == ["name"]
    assert "https://new.example.test" in answer.content.decode()
    assert Cart.objects.count() == 1


def as_shown_new(**typed: str) -> dict[str, str]:
    return {
        "import_orders_as": "sales_order", "order_statuses": "processing", "grace_minutes": "0",
        "guest_rule": "per_email",
        "poll_interval_seconds": "60", "requests_in_flight": "2", "silence_hours": "0",
        "safety_buffer": "0", "stock_percent": "100", "stock_maximum": "", "stock_sweep_hours": "6",
        "new_customers": "offer", "new_items": "offer", "record_sweep_hours": "6", **typed,
    }  # fmt: skip


def test_the_history_tells_who_changed_what_and_no_credentials(signed_in, new_cart):
    cart = new_cart()
    typed = {"to_stock_updates": "on", "credential_consumer_key": "ck_another_key_of_the_shop"}
    signed_in.post(page_of(cart), as_shown(cart, **typed))
    newest, first = signed_in.get(page_of(cart)).context["changes"]
    assert (newest["reason"], newest["changes"]) == (
        "Saved by staff",
        [("To Cart: Enable real-time stock updates", False, True)],
    )
    assert (first["reason"], first["changes"]) == ("Added by staff", [])


# Secrets ------------------------------------------------------------------------------------------------


def test_saved_credentials_never_reach_the_browser(signed_in, cart):
    urls = [
        page_of(cart),
        page_of(cart) + "?edit=1",
        reverse("admin:index"),
        *(reverse(f"carts:{name}") for name in ("list", "add", "problems", "runs", "settings")),
        *(reverse(f"carts:{name}", args=[cart.pk]) for name in ("start", "orders", "cart_orders", "cart_items")),
    ]
    for url in urls:
        html = signed_in.get(url).content.decode()
        assert KEY not in html and SECRET not in html, url
    assert "Saved, ends in a1b2" in signed_in.get(page_of(cart)).content.decode()
    assert "Saved, ends in c3d4" in signed_in.get(page_of(cart) + "?edit=1").content.decode()


def test_empty_credentials_keep_the_saved_ones(signed_in, new_cart):
    cart = new_cart()
    signed_in.post(page_of(cart), as_shown(cart, credential_consumer_key="ck_another_key_of_the_shop"))
    cart.refresh_from_db()
    assert secrets.unseal(cart.credentials) == {"consumer_key": "ck_another_key_of_the_shop", "consumer_secret": SECRET}


# Test Connection, Start, Stop ---------------------------------------------------------------------------


def test_test_connection_says_what_it_read(signed_in, new_cart, shop):
    cart = new_cart(url=shop.url)
    answer = signed_in.post(reverse("carts:test", args=[cart.pk]), follow=True)
    assert sentences(answer) == ["TEST PASSED: SUCCESSFULLY CONNECTED TO CART!"]
    html = answer.content.decode()
    assert "America/New_York" in html and "USD" in html


def test_test_connection_in_edit_mode_tests_what_was_typed(signed_in, new_cart, shop):
    cart = new_cart(url="http://127.0.0.1:1")
    answer = signed_in.post(page_of(cart), as_shown(cart, url=shop.url, then="test"), follow=True)
    assert sentences(answer) == ["Saved.", "TEST PASSED: SUCCESSFULLY CONNECTED TO CART!"]


def test_test_connection_with_a_wrong_key_says_what_to_do(signed_in, new_cart, shop):
    cart = new_cart(url=shop.url)
    control.save_cart(cart, {}, {"consumer_secret": "cs_wrong"}, "staff", 1)
    (said,) = sentences(signed_in.post(reverse("carts:test", args=[cart.pk]), follow=True))
    cart.refresh_from_db()
    assert (said, cart.tested_for) == (cart.test_message, "")


def test_start_is_refused_with_every_reason(signed_in, new_cart):
    cart = new_cart()
    url = reverse("carts:start", args=[cart.pk])
    page = signed_in.get(url)
    assert page.context["plan"].refusals == control.refusals(cart)
    assert len(page.context["plan"].refusals) == 2
    assert "Start now" not in page.content.decode()
    signed_in.post(url, {"without_rehearsal": "on"})
    cart.refresh_from_db()
    assert cart.status == CartStatus.STOPPED


def test_start_shows_how_many_orders_and_asks_before_it_starts_without_a_rehearsal(signed_in, cart):
    url = reverse("carts:start", args=[cart.pk])
    plan = signed_in.get(url).context["plan"]
    assert (plan.refusals, plan.order_count) == ((), 60)
    assert sentences(signed_in.post(url, follow=True)) == [
        "This cart was not rehearsed with these settings. Rehearse it, or confirm to start without."
    ]
    assert Cart.objects.get(pk=cart.pk).status == CartStatus.STOPPED
    signed_in.post(url, {"without_rehearsal": "on"})
    assert Cart.objects.get(pk=cart.pk).status == CartStatus.RUNNING


def test_start_in_edit_mode_saves_first_and_asks_then(signed_in, cart):
    answer = signed_in.post(page_of(cart), as_shown(cart, grace_minutes="30", then="start"))
    assert answer.url == reverse("carts:start", args=[cart.pk])
    cart.refresh_from_db()
    assert (cart.grace_minutes, cart.status) == (30, CartStatus.STOPPED)


def test_stop_in_edit_mode_stops_at_once_and_keeps_what_was_typed(signed_in, cart):
    control.start(cart, "staff", without_rehearsal=True)
    answer = signed_in.post(page_of(cart), as_shown(cart, grace_minutes="30", name="", then="stop"))
    assert sentences(answer)[0].startswith("Nothing was in flight. ")
    assert 'value="30"' in answer.content.decode()
    cart.refresh_from_db()
    assert (cart.status, cart.grace_minutes, cart.name) == (CartStatus.STOPPED, 0, "Shop")


def test_stop_says_where_it_will_resume(signed_in, cart):
    control.start(cart, "staff", without_rehearsal=True)
    answer = signed_in.post(reverse("carts:stop", args=[cart.pk]), follow=True)
    assert sentences(answer) == ["Nothing was in flight. After the next Start it reads from Last Order from."]
    assert signed_in.post(reverse("carts:stop", args=[cart.pk]), follow=True).context["cart"].status == "stopped"
