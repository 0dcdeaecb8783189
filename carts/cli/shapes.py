"""The JSON documents of `manage.py cart ... --json`. docs/shell.md names the keys; one that is there stays there."""

from datetime import datetime
from typing import Any

from carts import secrets
from carts.choices import Kind
from carts.cli.values import SETTINGS
from carts.models import Cart, Conflict, Feed, Push, Record, Run, RunItem
from carts.platforms import adapter_class
from carts.services.control import StartPlan, is_tested, refusals, rehearsal_digest
from carts.services.problems import Group
from carts.services.state import State

SHOP_FACTS = ("name", "currency", "timezone", "version", "permissions", "warnings")


def brief(cart: Cart, state: State) -> dict[str, Any]:
    return {
        "id": cart.pk,
        "name": cart.name,
        "platform": cart.platform,
        "url": cart.url,
        "status": cart.get_status_display(),
        "state": state.text,
        "state_tone": state.tone,
    }


def whole(cart: Cart, state: State) -> dict[str, Any]:
    feed = Feed.objects.filter(cart=cart, kind=Kind.ORDER).first()
    return {
        **brief(cart, state),
        "started_at": _time(cart.started_at),
        "stopped_at": _time(cart.stopped_at),
        "settings": {name: _plain(getattr(cart, name)) for name in SETTINGS},
        "settings_version": cart.settings_version,
        "credentials": masked_credentials(cart),
        "test": {
            "passed": is_tested(cart),
            "at": _time(cart.tested_at),
            "message": cart.test_message,
        },
        "shop": shop(cart),
        "rehearsed": bool(cart.rehearsed_for) and cart.rehearsed_for == rehearsal_digest(cart),
        "start_refusals": list(refusals(cart)),
        "feed": _feed(feed) if feed else None,
    }


def masked_credentials(cart: Cart) -> dict[str, str]:
    saved = secrets.unseal(cart.credentials)
    fields = adapter_class(cart.platform).credential_fields
    return {field.name: secrets.mask(saved.get(field.name, "")) for field in fields}


def shop(cart: Cart) -> dict[str, Any]:
    return {name: getattr(cart, f"shop_{name}") for name in SHOP_FACTS}


def plan(cart: Cart, start_plan: StartPlan) -> dict[str, Any]:
    return {
        "id": cart.pk,
        "name": cart.name,
        "since": _time(start_plan.since),
        "will": list(start_plan.will),
        "order_count": start_plan.order_count,
        "order_count_note": start_plan.count_note,
    }


def run(one: Run, *, with_items: bool = False) -> dict[str, Any]:
    shape = {
        "id": one.pk,
        "cart_id": one.cart_id,
        "kind": one.kind,
        "record_kind": one.record_kind,
        "state": one.state,
        "started_by": one.started_by,
        "started_at": _time(one.started_at),
        "finished_at": _time(one.finished_at),
        "total": one.total,
        "counts": one.counts,
        "error": one.error,
    }
    if with_items:
        shape["items"] = [_item(item) for item in one.items.order_by("id")]
    return shape


def _item(item: RunItem) -> dict[str, Any]:
    return {
        "external_id": item.external_id,
        "label": item.label,
        "outcome": item.outcome,
        "reason_code": item.reason_code,
        "message": item.message,
        "local_id": item.local_id,
    }


def feed_in_need(feed: Feed) -> dict[str, Any]:
    return {"cart_id": feed.cart_id, "cart": feed.cart.name, **_feed(feed)}


def unsent(push: Push) -> dict[str, Any]:
    return {
        "cart_id": push.cart_id,
        "cart": push.cart.name,
        "kind": push.kind,
        "local_id": push.local_id,
        "item_id": push.local_id,
        "reason": push.reason,
        "marked_at": _time(push.marked_at),
    }


def conflict(one: Conflict) -> dict[str, Any]:
    return {
        "id": one.pk,
        "cart_id": one.cart_id,
        "cart": one.cart.name,
        "kind": one.record.kind,
        "external_id": one.record.external_id,
        "label": one.record.label,
        "field": one.field,
        "ours": one.ours,
        "theirs": one.theirs,
        "noticed_at": _time(one.noticed_at),
    }


def cause(group: Group) -> dict[str, Any]:
    return {
        "cart_id": group.cart.pk,
        "cart": group.cart.name,
        "reason_code": group.reason_code,
        "key": group.key,
        "label": group.label,
        "orders": group.orders,
    }


def problem(record: Record) -> dict[str, Any]:
    return {
        "cart_id": record.cart_id,
        "cart": record.cart.name,
        "kind": record.kind,
        "external_id": record.external_id,
        "label": record.label,
        "state": record.state,
        "reason_code": record.reason_code,
        "reason": record.reason,
        "placed_at": _time(record.placed_at),
        "changed_at": _time(record.changed_at),
    }


def _feed(feed: Feed) -> dict[str, Any]:
    return {
        "kind": feed.kind,
        "polled_at": _time(feed.polled_at),
        "next_poll_at": _time(feed.next_poll_at),
        "high_water": _time(feed.high_water),
        "failures": feed.failures,
        "needs_person": feed.needs_person,
        "error_kind": feed.error_kind,
        "error": feed.error,
        "error_at": _time(feed.error_at),
    }


def _plain(value: Any) -> Any:
    return _time(value) if isinstance(value, datetime) else value


def _time(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
