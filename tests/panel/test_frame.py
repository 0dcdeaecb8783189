"""What stands around and on the pages: sidebar, Dashboard, Settings, and how times and money are written."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from carts.choices import CartStatus, Kind, RecordState, RunKind, RunState
from carts.models import Cart, Feed, Record, Run
from carts.templatetags import panel
from tests.panel.conftest import KEY, person

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def sidebar(client: Client) -> list[tuple[str, str]]:
    groups = client.get(reverse("admin:index")).context["sidebar_navigation"]
    return [
        (item["title"], item.get("badge", "")) for group in groups for item in group["items"] if item["has_permission"]
    ]


def problem(cart: Cart, number: int) -> Record:
    now = timezone.now()
    return Record.objects.create(
        cart=cart, kind=Kind.ORDER, external_id=str(number), label=str(number), state=RecordState.HELD,
        reason=f"Reason {number}.", payload="{}", digest=b"0" * 16, seen_at=now, changed_at=now,
    )  # fmt: skip


# Sidebar ------------------------------------------------------------------------------------------------


def test_the_sidebar_shows_each_cart_with_its_state_and_the_problems_with_their_count(signed_in, new_cart):
    running, _ = new_cart(name="Alpha"), new_cart(name="Beta & Sons")
    Cart.objects.filter(pk=running.pk).update(status=CartStatus.RUNNING)
    problem(running, 1)
    assert sidebar(signed_in)[:6] == [
        ("Dashboard", ""), ("Carts", ""), ("Alpha", "RUNNING"), ("Beta &amp; Sons", "STOPPED"), ("Problems", "1"),
        ("Runs", ""),
    ]  # fmt: skip


def test_the_sidebar_offers_an_administrator_everything(signed_in):
    assert [title for title, _ in sidebar(signed_in)] == [
        "Dashboard", "Carts", "Problems", "Runs", "Items", "Customers", "Documents", "Stock", "Accounts",
        "Settings", "Users", "Groups",
    ]  # fmt: skip


def test_the_sidebar_names_no_cart_to_who_may_not_see_carts(new_cart):
    problem(new_cart(), 1)
    client = Client()
    client.force_login(person("clerk"))
    page = client.get(reverse("admin:index"))
    assert [title for title, _ in sidebar(client)] == ["Dashboard"]
    assert "Shop" not in page.content.decode().replace("Practice shop", "")


@pytest.mark.parametrize(
    ("sentence", "rest"),
    [
        ("RUNNING. Orders are up to date.", "Orders are up to date."),
        ("RUNNING, but needs you: the key.", "But needs you: the key."),
        ("RUNNING.", ""),
    ],
)
def test_beside_its_badge_the_sentence_of_state_does_not_say_the_status_again(sentence, rest):
    assert panel.cut_status(sentence, Cart(status=CartStatus.RUNNING)) == rest


def test_a_long_name_stays_in_its_line_of_the_sidebar(signed_in, new_cart):
    new_cart(name="A shop with a long name & sons")
    assert sidebar(signed_in)[2] == ("A shop with a lon…", "STOPPED")


# Dashboard ----------------------------------------------------------------------------------------------


def test_without_a_cart_the_dashboard_leads_to_adding_one(signed_in):
    assert reverse("carts:add") in signed_in.get(reverse("admin:index")).content.decode()


@time_machine.travel(NOW, tick=False)
def test_a_card_counts_what_was_imported_today_in_the_shop(signed_in, new_cart):
    cart = new_cart()
    Cart.objects.update(shop_timezone="America/New_York")  # its day began at 05:00 UTC
    Feed.objects.update(polled_at=NOW - timedelta(minutes=2))
    for hour, kind, number in [
        (4, RunKind.SYNC, 100),
        (6, RunKind.SYNC, 5),
        (7, RunKind.IMPORT, 2),
        (8, RunKind.REHEARSAL, 50),
    ]:
        run = Run.objects.create(cart=cart, kind=kind, state=RunState.DONE, counts={"new": number, "held": 1})
        Run.objects.filter(pk=run.pk).update(created_at=NOW.replace(hour=hour))
    problem(cart, 1)
    (card,) = signed_in.get(reverse("admin:index")).context["cards"]
    assert (card.imported_today, card.held, card.polled_at) == (7, 1, NOW - timedelta(minutes=2))


# Settings -----------------------------------------------------------------------------------------------


def test_settings_tell_facts_and_no_secret(signed_in, settings):
    html = signed_in.get(reverse("carts:settings")).content.decode()
    assert f"{len(settings.CREDENTIALS_KEYS)} present" in html
    for secret in (
        settings.SECRET_KEY,
        *settings.CREDENTIALS_KEYS,
        settings.DATABASES["default"].get("PASSWORD") or KEY,
    ):
        assert secret not in html


# Times and money ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=125), "2 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=65), "2 months ago"),
        (timedelta(minutes=-3), "in 3 min"),
    ],
)
def test_times_are_distances_with_the_exact_time_in_the_title(past, text):
    with time_machine.travel(NOW, tick=False):
        html = panel.ago(NOW - past, zone=ZoneInfo("America/New_York"))
    at = NOW - past
    there = at.astimezone(ZoneInfo("America/New_York"))
    title = f"{there:%Y-%m-%d %H:%M:%S} America/New_York, {at:%Y-%m-%d %H:%M:%S} UTC"
    assert html == f'<time datetime="{at.isoformat()}" title="{title}">{text}</time>'


def test_no_time_is_never():
    assert panel.ago(None) == "Never"


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234.5", "1,234.50 USD"), ("0", "0.00 USD"), ("-3.1250", "-3.125 USD"), ("1E+3", "1,000.00 USD")],
)
def test_money_shows_its_currency_and_every_decimal_of_the_shop(amount, text):
    assert panel.money(Decimal(amount), "USD") == text
