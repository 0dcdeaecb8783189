"""`manage.py cart`, typed as a person types it: real arguments, real exit codes, a practice shop on a socket."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import execute_from_command_line
from django.utils import timezone

from backoffice.models import Document, Item
from backoffice.services import items
from backoffice.types import NewItem
from carts import secrets
from carts.models import Cart, Feed, Record, Run
from carts.platforms import REGISTRY, adapter_class
from sandbox.testing import PracticeShop, practice_shop

pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN = "NEW-LAMP-01"
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


@dataclass
class Typed:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def cart(capsys, monkeypatch):
    """Type `manage.py cart ...`; gives exit code, standard output and standard error."""

    def type_it(*words: str, stdin: str = "") -> Typed:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = 0
        try:
            execute_from_command_line(["manage.py", "cart", *words])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return Typed(code, said.out, said.err)

    return type_it


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    """A shop that takes OAuth 1.0a alone over plain http, as the real one does."""
    with practice_shop(basic_over_http=False) as place:
        yield place


@pytest.fixture
def tested(cart, place) -> Cart:
    """A cart of that shop: tested, its date set to yesterday; the back office has two of the shop's items."""
    items.create_item(NewItem(sku="SKU-0001", name="One", price=Decimal(1)))
    items.create_item(NewItem(sku="SKU-0002", name="Two", price=Decimal(2)))
    credentials = json.dumps({"consumer_key": place.key, "consumer_secret": place.secret})
    assert cart("add", "Shop", place.url, "--credentials", "-", stdin=credentials).code == 0
    assert cart("test", "Shop").code == 0
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    assert cart("set", "Shop", f"last_order_from={yesterday}").code == 0
    return Cart.objects.get(name="Shop")


@pytest.fixture
def running(cart, tested) -> Cart:
    assert cart("start", "Shop", "--without-rehearsal").code == 0
    return Cart.objects.get(pk=tested.pk)


# Adding and showing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ['{"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}',
     "# made in June\nconsumer_key = ck_practice\n\nconsumer_secret='cs_practice'\n"],
)  # fmt: skip
def test_add_takes_credentials_from_a_file_as_json_or_as_lines(cart, tmp_path, text):
    (tmp_path / "keys").write_text(text)
    added = cart("add", "Shop", "https://shop.example.test", "--credentials", str(tmp_path / "keys"), "--json")
    saved = Cart.objects.get()
    assert (added.code, added.json["id"], added.json["status"]) == (0, saved.pk, "STOPPED")
    assert secrets.unseal(saved.credentials) == {"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}
    assert added.json["credentials"]["consumer_secret"] == "Saved"
    assert "cs_practice" not in added.out + added.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cs_practice", "must be a JSON object, or lines"),
        ('{"consumer_key": cs_practice', "not JSON"),
        ('{"consumer_key": "ck_practice"}', "missing: consumer_secret"),
        ("consumer_key=a\nconsumer_secret=cs_practice\ntoken=b", "has no credential token"),
        ("", "There are no credentials"),
    ],
)
def test_add_refuses_credentials_it_cannot_use_and_repeats_none_of_them(cart, text, says):
    refused = cart("add", "Shop", "https://shop.example.test", "--credentials", "-", stdin=text)
    assert (refused.code, refused.out) == (1, "")
    assert says in refused.err
    assert "cs_practice" not in refused.err and "Traceback" not in refused.err
    assert not Cart.objects.exists()


def test_add_takes_no_credential_on_the_command_line(cart):
    refused = cart("add", "Shop", "https://shop.example.test", "consumer_key=ck_practice")
    assert (refused.code, Cart.objects.count()) == (2, 0)


def test_add_refuses_a_name_that_is_taken_and_an_address_that_is_none(cart, tested):
    keys = "consumer_key=ck_practice\nconsumer_secret=cs_practice"
    taken = cart("add", "Shop", "https://other.example.test", "--credentials", "-", stdin=keys)
    assert (taken.code, "name: Cart with this Cart Name already exists." in taken.err) == (1, True)
    wrong = cart("add", "Other", "ftp://shop.example.test", "--credentials", "-", stdin=keys)
    assert (wrong.code, "url: The address must begin with https://" in wrong.err) == (1, True)
    assert Cart.objects.count() == 1


def test_list_and_show_tell_state_and_settings_but_no_secret(cart, place, tested):
    assert cart("list", "--json").json == {
        "carts": [
            {
                "id": tested.pk,
                "name": "Shop",
                "platform": "woocommerce",
                "url": place.url,
                "status": "STOPPED",
                "state": "STOPPED. It was never started: nothing is imported by itself.",
                "state_tone": "",
            }
        ]
    }
    shown = cart("show", str(tested.pk), "--json")
    assert shown.json["settings"]["order_statuses"] == ["processing", "completed"]
    assert shown.json["test"]["passed"] is True
    assert shown.json["shop"]["currency"] == "USD"
    assert shown.json["rehearsed"] is False
    for said in (shown, cart("show", "Shop"), cart("list")):
        assert place.secret not in said.out + said.err


def test_a_cart_that_is_not_there_is_refused_in_one_sentence(cart):
    refused = cart("show", "Nowhere", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "There is no cart named Nowhere" in refused.err
    assert "Traceback" not in refused.err


# Settings ---------------------------------------------------------------------------------------------


def test_set_reads_a_time_without_a_zone_in_the_shops_own(cart, tested):
    assert tested.shop_timezone == "America/New_York"
    saved = cart("set", "Shop", "last_order_from=2026-07-01T09:30", "last_update_time=2026-07-01T09:30+02:00", "--json")
    assert saved.json["settings"]["last_order_from"] == "2026-07-01T13:30:00Z"
    tested.refresh_from_db()
    assert tested.order_fence == datetime(2026, 7, 1, 13, 30, tzinfo=UTC)
    assert tested.last_update_time == datetime(2026, 7, 1, 7, 30, tzinfo=UTC)


def test_set_saves_every_kind_of_setting(cart, tested):
    item = items.create_item(NewItem(sku="STAND-IN", name="Stand-in"))
    saved = cart(
        "set", "Shop", "import_orders_as=cash_sale", "order_statuses=completed, on-hold", "currencies=usd, eur",
        "from_item_updates=yes", "grace_minutes=15", f"stand_in_item_id={item}",
        "notification_emails=a@example.test; b@example.test", "--json",
    )  # fmt: skip
    assert saved.code == 0, saved.err
    settings = saved.json["settings"]
    expected = {
        "import_orders_as": "cash_sale",
        "order_statuses": ["completed", "on-hold"],
        "currencies": "USD,EUR",
        "from_item_updates": True,
        "grace_minutes": 15,
        "stand_in_item_id": item,
        "notification_emails": "a@example.test, b@example.test",
    }
    assert {name: settings[name] for name in expected} == expected


def test_set_names_every_fault_and_saves_nothing(cart, tested):
    refused = cart(
        "set", "Shop", "silence_hours=5", "poll_interval_seconds=1", "order_statuses=complete", "import_orders_as=gift",
        "last_order_from=soon", "to_stock_updates=maybe", "stand_in_item_id=999999", "notification_emails=nobody",
    )  # fmt: skip
    assert refused.code == 1
    for fault in (
        "poll_interval_seconds: Ensure this value is greater than or equal to 5.",
        "order_statuses: Select a valid choice. complete is not one",
        "import_orders_as: Select a valid choice. gift is not one",
        "last_order_from: Enter a date and a time",
        "to_stock_updates: maybe is neither yes nor no",
        "stand_in_item_id: Nothing here begins with",
        "notification_emails: “nobody” is not an e-mail address",
    ):
        assert fault in refused.err
    after = Cart.objects.get()
    assert (after.silence_hours, after.settings_version) == (0, tested.settings_version)


@pytest.mark.parametrize("pair", ["status=running", "order_fence=2026-01-01", "silence_hours"])
def test_set_changes_nothing_but_settings(cart, tested, pair):
    assert cart("set", "Shop", pair).code == 1
    assert Cart.objects.get().settings_version == tested.settings_version


def test_set_takes_a_time_with_its_zone_exactly_in_the_hour_that_comes_twice(cart, tested):
    for text, hour in (("2026-11-01T01:30-04:00", 5), ("2026-11-01T01:30-05:00", 6)):
        assert cart("set", "Shop", f"last_order_from={text}").code == 0
        assert Cart.objects.get().order_fence == datetime(2026, 11, 1, hour, 30, tzinfo=UTC)


def test_set_with_new_credentials_asks_for_a_new_test(cart, place, tested):
    place.add_key("ck_secondkey", "cs_secondkey", "read")
    keys = "consumer_key=ck_secondkey\nconsumer_secret=cs_secondkey"
    saved = cart("set", "Shop", "--credentials", "-", "--json", stdin=keys)
    assert (saved.code, saved.json["test"]["passed"]) == (0, False)
    assert cart("start", "Shop", "--without-rehearsal").code == 1
    again = cart("test", "Shop", "--json").json
    assert (again["passed"], again["shop"]["permissions"][:9]) == (True, "Read only")


# Test, rehearse, start, stop --------------------------------------------------------------------------


def test_a_failed_test_says_why_and_exits_with_1(cart, place, tested):
    place.faults.add("401", times=0)
    failed = cart("test", "Shop", "--json")
    assert (failed.code, failed.json["passed"]) == (1, False)
    assert "The shop refused the key" in failed.err
    tested.refresh_from_db()
    assert tested.tested_for == ""


def test_rehearse_lists_what_would_be_done_and_writes_nothing(cart, place, tested):
    place.shop.place_order("SKU-0001", status="processing")
    place.shop.place_order(UNKNOWN, status="processing")
    place.shop.place_order("SKU-0002", status="pending")
    rehearsed = cart("rehearse", "Shop", "--json")
    assert rehearsed.code == 0, rehearsed.err
    assert rehearsed.json["counts"] == {"new": 1, "held": 1, "filtered": 1}
    held = [item for item in rehearsed.json["items"] if item["outcome"] == "held"]
    assert [item["reason_code"] for item in held] == ["unknown_sku"]
    told = cart("rehearse", "Shop").out.splitlines()[-1]
    assert told.endswith(": Done, Filtered 1, Would hold 1, Would import 1.")
    assert (Document.objects.count(), Record.objects.count()) == (0, 0)
    assert cart("start", "Shop").code == 0


@pytest.mark.kill
def test_ctrl_c_ends_a_rehearsal_as_stop_does(place, tested):
    place.faults.add("latency", match="orders", seconds=3, times=0)
    name, given = settings.DATABASES["default"]["NAME"], os.environ.get("DATABASE_URL")
    address = f"{given.rpartition('/')[0]}/{name}" if given else f"sqlite:///{name}"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": address}
    command = [sys.executable, "manage.py", "cart", "rehearse", "Shop"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not Run.objects.filter(started_at__isnull=False).exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert process.returncode == 130
    assert "Stopped. What was done until now stays done." in said and "Traceback" not in said
    assert Run.objects.values_list("state", "lease_token").get() == ("stopped", "")
    assert not Cart.objects.get().rehearsed_for


def test_start_without_a_rehearsal_is_refused_unless_confirmed(cart, tested):
    refused = cart("start", "Shop")
    assert (refused.code, "was not rehearsed" in refused.err) == (1, True)
    assert not Cart.objects.get().is_running
    started = cart("start", "Shop", "--without-rehearsal", "--json")
    assert (started.code, started.json["order_count"]) == (0, 0)
    assert Cart.objects.get().is_running
    assert cart("start", "Shop", "--without-rehearsal").code == 1


def test_stop_says_where_it_resumes(cart, running):
    stopped = cart("stop", "Shop", "--json")
    assert stopped.json["note"] == "Nothing was in flight. After the next Start it reads from Last Order from."
    assert not Cart.objects.get().is_running
    again = cart("stop", "Shop")
    assert (again.code, "STOPPED already" in again.err) == (1, True)


# Sync -------------------------------------------------------------------------------------------------


def test_sync_imports_what_is_new_once(cart, place, running):
    place.shop.place_order("SKU-0001", status="processing")
    first = cart("sync", "Shop", "--json")
    assert (first.code, first.json["polled"], first.json["runs"][0]["counts"]) == (0, True, {"new": 1})
    assert first.json["runs"][0]["started_by"].endswith("shell)")
    second = cart("sync", "Shop", "--json")
    assert (second.code, second.json["polled"], second.json["runs"]) == (0, True, [])
    assert Document.objects.count() == 1


def test_sync_of_a_stopped_cart_reads_nothing(cart, place, tested):
    place.shop.place_order("SKU-0001", status="processing")
    synced = cart("sync", "Shop", "--json")
    assert (synced.code, synced.json["polled"]) == (0, False)
    assert "The cart is STOPPED" in synced.err
    assert Record.objects.count() == 0


def test_sync_exits_with_3_when_the_feed_needs_a_person_until_the_test_passes(cart, place, running):
    place.faults.add("401", times=0)
    assert cart("sync", "Shop").code == 3
    again = cart("sync", "Shop", "--json")
    assert (again.code, again.json["polled"]) == (3, False)
    assert "The shop refused the key" in again.err
    place.faults.clear()
    assert cart("test", "Shop").code == 0
    assert cart("sync", "Shop").code == 0


def test_sync_exits_with_4_while_the_cart_is_unavailable_and_keeps_its_back_off(cart, place, running):
    place.faults.add("html503", times=0)
    assert cart("sync", "Shop").code == 4
    place.faults.clear()
    asked = len(place.requests)
    waiting = cart("sync", "Shop", "--json")
    assert (waiting.code, waiting.json["polled"], len(place.requests)) == (4, False, asked)
    assert "Not tried again before" in waiting.err
    Feed.objects.update(next_poll_at=timezone.now())
    assert cart("sync", "Shop").code == 0


def test_sync_leaves_a_feed_to_the_worker_that_reads_it(cart, place, running):
    Feed.objects.update(lease_token="another", lease_until=timezone.now() + timedelta(minutes=1))
    synced = cart("sync", "Shop", "--json")
    assert (synced.code, synced.json["polled"]) == (0, False)
    assert "A worker is reading" in synced.err
    assert Feed.objects.get().lease_token == "another"


def test_sync_does_the_queued_runs_of_this_cart(cart, place, tested):
    from carts.services import selection

    order = place.shop.place_order("SKU-0001", status="processing")
    queued = selection.begin(tested, "order", [str(order.id)], "staff")
    synced = cart("sync", "Shop", "--json").json
    assert [(run["id"], run["state"], run["counts"]) for run in synced["runs"]] == [(queued.pk, "done", {"new": 1})]


# Import and problems ----------------------------------------------------------------------------------


def test_import_takes_records_of_each_kind_by_id(cart, place, tested):
    order = place.shop.place_order("SKU-0001", status="pending")
    imported = cart("import", "Shop", "orders", str(order.id), "--json")
    assert (imported.code, imported.json["counts"]) == (0, {"new": 1})
    again = cart("import", "Shop", "orders", str(order.id), "--json")
    assert (again.code, again.json["counts"]) == (0, {"already": 1})
    item = place.shop.product_by_sku(UNKNOWN)
    assert cart("import", "Shop", "items", str(item.id), "--json").json["counts"] == {"new": 1}
    buyer = place.shop.customer_by_email("customer2@example.test")
    assert cart("import", "Shop", "customers", str(buyer.id), "--json").code == 0
    assert Document.objects.count() == 1


def test_import_of_what_the_shop_does_not_have_exits_with_1(cart, tested):
    gone = cart("import", "Shop", "orders", "999999", "--json")
    assert (gone.code, gone.json["state"], gone.json["counts"]) == (1, "partly_failed", {"failed": 1})
    assert Run.objects.get(kind="import").state == "partly_failed"


def test_problems_names_causes_records_and_feeds(cart, place, running):
    assert cart("problems", "--json").json == {
        "feeds": [], "causes": [], "records": [], "record_total": 0, "unsent": [], "conflicts": [],
    }  # fmt: skip
    orders = [place.shop.place_order(UNKNOWN, status="processing") for _ in range(2)]
    assert cart("sync", "Shop").code == 0
    place.faults.add("401", times=0)
    assert cart("sync", "Shop").code == 3
    found = cart("problems", "Shop", "--limit", "1", "--json").json
    assert [(cause["reason_code"], cause["label"], cause["orders"]) for cause in found["causes"]] == [
        ("unknown_sku", UNKNOWN, 2)
    ]
    assert [record["external_id"] for record in found["records"]] == [str(orders[1].id)]
    assert found["record_total"] == 2
    assert [feed["error_kind"] for feed in found["feeds"]] == ["auth"]


# Both ways --------------------------------------------------------------------------------------------


def test_both_ways_from_the_shell(cart, place, running):
    """Export, a conflict told and decided, owners: what the tabs do."""
    ours = Item.objects.create(sku="SHELL-1", name="Shell", price=5)
    would = cart("export", "Shop", "items", "SHELL-1", "--rehearse", "--json").json
    assert would["counts"] == {"created": 1} and place.shop.product_by_sku("SHELL-1") is None
    assert cart("export", "Shop", "items", "SHELL-1", "--json").json["counts"] == {"created": 1}
    assert cart("export", "Shop", "items", "SHELL-1", "--json").json["counts"] == {"unchanged": 1}
    assert cart("export", "Shop", "items", "NOWHERE").code == 1
    assert (
        cart("set", "Shop", "from_item_updates=yes", "to_item_updates=yes", "last_update_time=2020-01-01T00:00").code
        == 0
    )
    product = place.shop.product_by_sku("SHELL-1")
    with place.shop.changing():
        product.regular_price = "7"
        place.shop.touch_product(product)
    ours.refresh_from_db()
    ours.price = 9
    ours.save()
    assert cart("sync", "Shop").code == 0
    (found,) = cart("problems", "--json").json["conflicts"]
    assert (found["field"], found["ours"], found["theirs"]) == ("price", "9", "7")
    assert cart("resolve", "Shop", "theirs", str(found["id"])).code == 0
    ours.refresh_from_db()
    assert ours.price == 7
    assert cart("resolve", "Shop", "theirs", str(found["id"])).code == 1
    owned = cart("owners", "Shop", "item.price=cart", "--json")
    assert owned.code == 0, owned.err
    assert owned.json["owners"]["item.price"] == "cart"
    assert cart("owners", "Shop", "item.price=nobody").code == 1
    assert cart("owners", "Shop", "item.colour=cart").code == 1


def test_the_mapping_goes_out_and_in_from_the_shell(cart, place, tested, tmp_path):
    out = cart("map", "Shop", "items", "--read", "--json")
    assert out.code == 0 and "external_id" in out.json["table"]
    product = place.shop.product_by_sku("SKU-0001")
    table = tmp_path / "table.csv"
    table.write_text(f"external_id,our_sku\n{product.id},SKU-0001\n1,NONE\n")
    would = cart("map", "Shop", "items", "--import", str(table), "--json").json
    assert would["counts"] == {"Link": 1, "Refused": 1} and not would["applied"]
    assert not Record.objects.filter(kind="item", local_id__isnull=False).exists()
    assert cart("map", "Shop", "items", "--import", str(table), "--apply").code == 0
    assert Record.objects.get(kind="item", local_id__isnull=False).external_id == str(product.id)
    assert cart("map", "Shop", "items", "--import", str(tmp_path / "none.csv")).code == 1


@pytest.mark.parametrize("platform", REGISTRY)
def test_a_cart_of_each_platform_is_added_tested_and_rehearsed(cart, platform):
    with practice_shop(platform=platform, orders=3, lines=1) as place:
        credentials = json.dumps(place.credentials)
        added = cart("add", "Shop", place.address, "--platform", platform, "--credentials", "-", stdin=credentials)
        assert added.code == 0, added.err
        tested = cart("test", "Shop", "--json").json
        assert (tested["passed"], tested["shop"]["name"]) == (True, "Practice shop")
        assert not [value for value in place.credentials.values() if len(value) > 12 and value in added.out]
        assert (
            cart("set", "Shop", f"last_order_from={datetime.now(UTC) - timedelta(days=90):%Y-%m-%dT%H:%M}Z").code == 0
        )
        assert cart("rehearse", "Shop").code == 0
    shown = cart("show", "Shop", "--json").json
    assert shown["platform"] == platform


@pytest.mark.parametrize("platform", REGISTRY)
def test_a_credential_that_the_platform_does_not_have_is_refused_with_the_ones_it_takes(cart, platform):
    refused = cart(
        "add", "Shop", "https://shop.example.test", "--platform", platform, "--credentials", "-", stdin="x=1"
    )
    assert refused.code == 1 and not Cart.objects.exists()
    for field in adapter_class(platform).credential_fields:
        assert field.name in refused.err
