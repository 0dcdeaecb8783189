"""What staff do with a cart: save it, test it, start it, stop it."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as fixed_zone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from simple_history.utils import update_change_reason

from carts import secrets
from carts.choices import CartStatus, Kind, PushKind, RecordState, RunState
from carts.errors import CartError, Refused
from carts.models import Cart, Feed, Outbox, Record, Run, Webhooks
from carts.platforms import DEFAULT, adapter_class
from carts.records import Listing
from carts.services import leases, pairs, runs
from carts.services.connections import adapter_for, connection_digest, location_of
from carts.services.wakeups import wake_feed, wake_webhooks

log = logging.getLogger(__name__)

TEST_PASSED = "TEST PASSED: SUCCESSFULLY CONNECTED TO CART!"
# A change of one of these may judge differently what was read before, so everything since the fence is read again.
# What decides how many units the cart shows: a change of one is a change of every quantity.
STOCK_FIELDS = ("safety_buffer", "stock_percent", "stock_maximum", "stock_location")
UPDATE_FIELDS = (
    "update_fence", "from_item_updates", "from_customer_updates", "new_items", "new_customers", "field_owners",
)  # fmt: skip
JUDGING_FIELDS = ("order_fence", "order_statuses", "currencies", "grace_minutes", "guest_rule", "guest_customer_id")


@dataclass(frozen=True, slots=True)
class TestResult:
    passed: bool
    message: str

    __test__ = False  # not a test of pytest's


@dataclass(frozen=True, slots=True)
class StartPlan:
    """What Start would do. It is refused while there are `refusals`; `question` has to be confirmed by the person."""

    refusals: tuple[str, ...]
    question: str
    will: tuple[str, ...]
    since: datetime | None
    order_count: int | None
    count_note: str


# Saving -----------------------------------------------------------------------------------------------


def new_cart(platform: str) -> Cart:
    """An unsaved cart with what is usual for its platform."""
    return Cart(platform=platform, order_statuses=list(adapter_class(platform).capabilities.paid_statuses))


def create_cart(changes: Mapping[str, Any], credentials: Mapping[str, str], by: str) -> Cart:
    """A STOPPED cart; `changes` name its platform, WooCommerce unless they do. Refused when the name is taken."""
    cart = new_cart(changes.get("platform", DEFAULT))
    _apply(cart, changes, credentials)
    try:
        with transaction.atomic():
            cart.save()
            Feed.objects.create(cart=cart, kind=Kind.ORDER)
    except IntegrityError:
        raise name_taken(cart) from None
    update_change_reason(cart, f"Added by {by}")
    return cart


@transaction.atomic
def save_cart(cart: Cart, changes: Mapping[str, Any], credentials: Mapping[str, str], by: str, version: int) -> Cart:
    """Save the form. `credentials` holds only what was typed: what is missing stays. Refused when the cart was saved
    since `version` was shown."""
    claimed = Cart.objects.filter(pk=cart.pk, settings_version=version).update(
        settings_version=F("settings_version") + 1
    )
    if not claimed:
        raise Refused(
            "Somebody saved this cart while you were editing it. Nothing of yours was saved: open Edit again to see "
            "the settings as they are now."
        )
    cart = Cart.objects.get(pk=cart.pk)
    kept = (*JUDGING_FIELDS, *STOCK_FIELDS, *UPDATE_FIELDS, "to_stock_updates")
    before = {name: getattr(cart, name) for name in kept}
    connected_as = connection_digest(cart)
    _apply(cart, changes, credentials)
    if cart.is_running:
        _check_while_running(cart, connected_as, took_stock=before["to_stock_updates"])
    try:
        with transaction.atomic():
            cart.save()
    except IntegrityError:
        raise name_taken(cart) from None
    update_change_reason(cart, f"Saved by {by}")
    if any(before[name] != getattr(cart, name) for name in JUDGING_FIELDS):
        # A poll in flight decides by the old settings, and would write its cursor over the one taken back here.
        Feed.objects.filter(cart=cart, kind=Kind.ORDER).update(
            high_water=None, next_poll_at=None, lease_token="", lease_until=None
        )
    if any(before[name] != getattr(cart, name) for name in STOCK_FIELDS):
        # As there: a comparison under way would say that it is done, with the quantities that were right until now.
        Outbox.objects.filter(cart=cart, kind=PushKind.STOCK).update(
            swept_at=None, sweep_position="", lease_token="", lease_until=None
        )
    if any(before[name] != getattr(cart, name) for name in UPDATE_FIELDS):
        # What was passed by under the old settings is looked at again.
        Feed.objects.filter(cart=cart, kind__in=(Kind.ITEM, Kind.CUSTOMER)).update(
            high_water=None, swept_at=None, sweep_position="", next_poll_at=None, lease_token="", lease_until=None
        )
    if cart.is_running:
        open_update_feeds(cart)
        pairs.mark_unsent(cart)
    return cart


def open_update_feeds(cart: Cart) -> None:
    """Feeds for the kinds of record that pass in either direction; they stay when both are switched off, and rest."""
    wanted = {
        Kind.ITEM: cart.from_item_updates or cart.to_item_updates,
        Kind.CUSTOMER: cart.from_customer_updates or cart.to_customer_updates,
    }
    for kind, is_wanted in wanted.items():
        if is_wanted:
            Feed.objects.get_or_create(cart=cart, kind=kind)


def _check_while_running(cart: Cart, connected_as: str, *, took_stock: bool) -> None:
    """What Start asked for must stay true until Stop."""
    if cart.to_stock_updates and not took_stock:
        raise Refused(
            "Real-time stock updates overwrite the quantities the shop shows, so they are not switched on while the "
            "cart is RUNNING. Click Stop, save them, click Rehearse To Cart and look at what would change, then Start. "
            "Nothing was saved."
        )
    if cart.order_fence is None:
        raise Refused(
            "Last Order from cannot be emptied while the cart is RUNNING: every order of the shop would be imported. "
            "Click Stop first; nothing was saved."
        )
    if connection_digest(cart) != connected_as:
        raise Refused(
            "URL and credentials cannot be changed while the cart is RUNNING, because the new ones are not tested. "
            "Click Stop, save them, click Test Connection, then Start. Nothing was saved."
        )
    if (cart.from_customer_updates or cart.from_item_updates) and cart.last_update_time is None:
        raise Refused("Last update time is not set, but an update from the cart is enabled. Nothing was saved.")


def name_taken(cart: Cart) -> Refused:
    return Refused(f"There is a cart named {cart.name} already. Choose another name; nothing was saved.")


def _apply(cart: Cart, changes: Mapping[str, Any], credentials: Mapping[str, str]) -> None:
    changes = dict(changes)
    if "last_order_from" in changes:
        # Whatever staff enter is the new fence; left as it was shown, the fence stays where they once put it.
        entered = changes.pop("last_order_from")
        if entered != cart.last_order_from:
            cart.order_fence = cart.last_order_from = entered
    if changes.get("last_update_time", cart.last_update_time) != cart.last_update_time:
        cart.update_fence = changes["last_update_time"]
    for name, value in changes.items():
        setattr(cart, name, value)
    typed = {name: value.strip() for name, value in credentials.items() if value and value.strip()}
    if typed:
        may_be_missing = {field.name: not field.is_required for field in adapter_class(cart.platform).credential_fields}
        kept = secrets.unseal(cart.credentials) if cart.credentials else {}
        # One that may be missing is given up, say for another way to sign in.
        given_up = {name for name, value in typed.items() if value == secrets.REMOVE and may_be_missing.get(name)}
        named = {name: value for name, value in {**kept, **typed}.items() if name in may_be_missing}
        cart.credentials = secrets.seal({name: value for name, value in named.items() if name not in given_up})


# Testing ----------------------------------------------------------------------------------------------


def test_connection(cart: Cart, by: str) -> TestResult:
    """Read the shop and keep what it says of itself. A passed test also lifts what made the feeds need a person."""
    digest = connection_digest(cart)
    try:
        info = adapter_for(cart).check()
    except CartError as error:
        log.warning("Test Connection of cart %s failed: %s %s", cart.pk, error.sentence, error.detail)
        Cart.objects.filter(pk=cart.pk).update(tested_at=timezone.now(), tested_for="", test_message=error.sentence)
        return TestResult(False, error.sentence)
    message = TEST_PASSED
    Cart.objects.filter(pk=cart.pk).update(
        tested_at=timezone.now(),
        tested_for=digest,
        test_message=message,
        shop_name=info.name[:200],
        shop_currency=info.currency[:3].upper(),
        shop_timezone=info.timezone[:64],
        shop_version=info.version[:50],
        shop_permissions=info.permissions,
        shop_warnings=list(info.warnings),
        shop_locations=[[each.external_id, each.name] for each in info.locations],
    )
    Feed.objects.filter(cart=cart, needs_person=True).update(
        needs_person=False, failures=0, error="", error_kind="", next_poll_at=None
    )
    Outbox.objects.filter(cart=cart, needs_person=True).update(
        needs_person=False, failures=0, error="", error_kind="", next_drain_at=None
    )
    return TestResult(True, message)


test_connection.__test__ = False  # type: ignore[attr-defined]


def is_tested(cart: Cart) -> bool:
    return bool(cart.tested_for) and cart.tested_for == connection_digest(cart)


# Starting ---------------------------------------------------------------------------------------------


def rehearsal_digest(cart: Cart) -> str:
    """Identifies what a rehearsal was made for: the connection, and every setting that decides about orders."""
    parts = [
        connection_digest(cart),
        str(cart.import_orders_as),
        *(str(getattr(cart, name)) for name in JUDGING_FIELDS),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def to_cart_digest(cart: Cart) -> str:
    """Identifies what a rehearsal of To Cart was made for."""
    parts = [connection_digest(cart), *(str(getattr(cart, name)) for name in STOCK_FIELDS)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def unrehearsed(cart: Cart) -> tuple[str, ...]:
    """What would start without having been rehearsed with these settings, one sentence each."""
    missing = []
    if cart.rehearsed_for != rehearsal_digest(cart):
        missing.append("This cart was not rehearsed with these settings.")
    if cart.to_stock_updates and cart.to_cart_rehearsed_for != to_cart_digest(cart):
        missing.append(
            "To Cart was not rehearsed with these settings: the quantities the shop shows are overwritten with ours."
        )
    return tuple(missing)


def refusals(cart: Cart) -> tuple[str, ...]:
    """Why this cart may not start, one sentence a reason; empty when it may."""
    reasons = []
    if not is_tested(cart):
        reasons.append("The connection was not tested since the URL or the credentials changed. Click Test Connection.")
    if cart.order_fence is None:
        reasons.append("Last Order from is not set. Click Edit and enter the time from which orders are imported.")
    if (cart.from_customer_updates or cart.from_item_updates) and cart.last_update_time is None:
        reasons.append("Last update time is not set, but an update from the cart is enabled. Click Edit and enter it.")
    if cart.to_stock_updates and location_is_open(cart):
        reasons.append("The shop keeps stock in several places. Click Edit and choose the Stock location that is ours.")
    if not cart.order_statuses:
        reasons.append("No order status is chosen, so no order would ever be imported. Click Edit and choose some.")
    return tuple(reasons)


def location_is_open(cart: Cart) -> bool:
    """Which of the shop's locations is ours has not been said, or that one is not there any more."""
    if not adapter_class(cart.platform).capabilities.has_locations:
        return False
    return location_of(cart) not in [known for known, _ in cart.shop_locations]


def start_plan(cart: Cart) -> StartPlan:
    """Asks the live cart how many orders there are. A cart that does not answer is told in `count_note`."""
    count, note = None, ""
    reasons = refusals(cart)
    if not reasons:
        try:
            count = _count_orders(cart)
            note = "As the cart counts them now; some may be held or filtered."
            if count is None:
                note = "This platform does not count them; a rehearsal does."
        except CartError as error:
            note = f"The orders could not be counted: {error.sentence}"
    missing = unrehearsed(cart)
    question = f"{' '.join(missing)} Start it all the same?" if missing else ""
    known = adapter_class(cart.platform).capabilities.order_statuses
    labels = [known.get(status, status) for status in cart.order_statuses]
    will = [
        f"Import orders as {cart.get_import_orders_as_display()}, always PENDING, "
        f"every {cart.poll_interval_seconds} seconds.",
        f"Orders with the status {', '.join(labels)}, placed since Last Order from.",
    ]
    if cart.grace_minutes:
        will.append(f"Each order once it is {cart.grace_minutes} minutes old.")
    ways = (
        (cart.from_item_updates, cart.to_item_updates, "items"),
        (cart.from_customer_updates, cart.to_customer_updates, "customers"),
    )
    for takes, sends, noun in ways:
        if takes:
            will.append(f"Change linked {noun} here when they change in the shop, since Last update time.")
        if sends:
            will.append(f"Change linked {noun} in the shop when they change here; what has changed meanwhile at once.")
    if cart.to_stock_updates:
        linked = Record.objects.filter(cart=cart, kind=Kind.ITEM, state=RecordState.IMPORTED, local_id__isnull=False)
        number = linked.count()
        items = "1 linked item" if number == 1 else f"{number} linked items"
        will.append(f"Set the stock of {items} in the shop to ours, at once and at every change.")
    return StartPlan(reasons, question, tuple(will), cart.order_fence, count, note)


def _count_orders(cart: Cart) -> int | None:
    listing = Listing(per_page=1, placed_from=cart.order_fence, status=",".join(cart.order_statuses))
    page = adapter_for(cart).listing(Kind.ORDER, listing)
    return len(page.rows) if page.total is None and page.is_last else page.total


def start(cart: Cart, by: str, *, without_rehearsal: bool = False) -> None:
    """Refused with every reason at once; otherwise RUNNING, and the first poll is on its way."""
    reasons = list(refusals(cart))
    missing = unrehearsed(cart)
    if missing and not without_rehearsal:
        reasons.append(f"{' '.join(missing)} Rehearse it, or confirm to start without.")
    if reasons:
        raise Refused(" ".join(reasons))
    now = timezone.now()
    with transaction.atomic():
        started = Cart.objects.filter(pk=cart.pk, status=CartStatus.STOPPED).update(
            status=CartStatus.RUNNING, started_at=now, stopped_note=""
        )
        if not started:
            raise Refused("This cart is RUNNING already; nothing was changed.")
        feed, _ = Feed.objects.get_or_create(cart=cart, kind=Kind.ORDER)
        Feed.objects.filter(pk=feed.pk).update(
            next_poll_at=now, needs_person=False, failures=0, error="", error_kind="", lease_token="", lease_until=None
        )
        open_update_feeds(cart)
        pairs.mark_unsent(cart)
        Feed.objects.filter(cart=cart).exclude(pk=feed.pk).update(
            next_poll_at=None, needs_person=False, failures=0, error="", error_kind="", lease_token="", lease_until=None
        )
        Outbox.objects.filter(cart=cart).exclude(kind=PushKind.STOCK).update(
            next_drain_at=None,
            needs_person=False,
            failures=0,
            error="",
            error_kind="",
            lease_token="",
            lease_until=None,
        )
        if cart.to_stock_updates:
            outbox = Outbox.objects.get_or_create(cart=cart, kind=PushKind.STOCK)[0]
            Outbox.objects.filter(pk=outbox.pk).update(
                next_drain_at=None, needs_person=False, failures=0, error="", error_kind="", lease_token="",
                lease_until=None,
            )  # fmt: skip
        Webhooks.objects.filter(pk=cart.pk).update(next_check_at=None)
    log.info("Cart %s started by %s", cart.pk, by)
    wake_feed(feed.pk)
    wake_webhooks(cart)


def stop(cart: Cart, by: str) -> str:
    """STOPPED, and every worker on it loses its lease: the page in flight is not written. Says where it resumes."""
    with transaction.atomic():
        stopped = Cart.objects.filter(pk=cart.pk, status=CartStatus.RUNNING).update(
            status=CartStatus.STOPPED, stopped_at=timezone.now()
        )
        if not stopped:
            raise Refused("This cart is STOPPED already; nothing was changed.")
        at_work = leases.revoke_feeds(cart.pk)
        sending = leases.revoke_outboxes(cart.pk)
        feed = Feed.objects.filter(cart=cart, kind=Kind.ORDER).first()
        note = _where_it_resumes(cart, feed, at_work)
        if sending:
            note += " A request with stock may have been under way; after the next Start all stock is compared."
        Cart.objects.filter(pk=cart.pk).update(stopped_note=note)
    running = Run.objects.filter(cart=cart, state=RunState.RUNNING, kind="sync")
    for run in running:
        runs.log(run, f"Stop was clicked by {by}.")
    log.info("Cart %s stopped by %s", cart.pk, by)
    return note


def _where_it_resumes(cart: Cart, feed: Feed | None, at_work: int) -> str:
    flight = "A page of orders was being read; it is not written" if at_work else "Nothing was in flight"
    if feed is None or feed.high_water is None:
        return f"{flight}. After the next Start it reads from Last Order from."
    at = shop_time(cart, feed.high_water)
    return f"{flight}. After the next Start it goes on from orders modified at {at:%Y-%m-%d %H:%M:%S} ({at.tzname()})."


def shop_zone(cart: Cart) -> tzinfo:
    """The shop's time zone, a name or "UTC+05:30"; UTC while it is unknown."""
    try:
        return ZoneInfo(cart.shop_timezone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        pass  # not a name
    offset = re.fullmatch(r"UTC([+-])(\d\d):(\d\d)", cart.shop_timezone)
    if offset is None:
        return UTC
    distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return fixed_zone(-distance if offset[1] == "-" else distance)


def shop_time(cart: Cart, at: datetime) -> datetime:
    return at.astimezone(shop_zone(cart))
