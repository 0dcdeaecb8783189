"""Promise 13: e-mails are digests, not floods, and silence for too long is an alert of its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail

from carts.choices import Kind, Reason, RecordState
from carts.models import Cart, Feed, Record
from carts.platforms import adapter_class
from carts.services import alerts, control

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def running(cart: Cart) -> Cart:
    with time_machine.travel(NOW - timedelta(minutes=5), tick=False):
        control.start(cart, "staff", without_rehearsal=True)
    Feed.objects.filter(cart=cart).update(polled_at=NOW)
    return Cart.objects.get(pk=cart.pk)


def hold(cart: Cart, number: int, at: datetime = NOW) -> None:
    Record.objects.create(
        cart=cart,
        kind=Kind.ORDER,
        external_id=str(number),
        label=str(number),
        state=RecordState.HELD,
        reason_code=Reason.UNKNOWN_SKU,
        reason="SKU X is not among the items.",
        digest=b"1",
        payload="{}",
        seen_at=at,
        changed_at=at,
    )


@time_machine.travel(NOW, tick=False)
def test_thirty_held_orders_are_one_mail_with_twenty_named(running: Cart) -> None:
    for number in range(30):
        hold(running, number)
    alerts.send_due()
    alerts.send_due()
    assert len(mail.outbox) == 1
    message = mail.outbox[0]
    assert message.to == ["staff@example.test"]
    assert message.subject == "CartSync: Shop needs you"
    assert "30 orders need you:" in message.body
    assert message.body.count("SKU X is not among the items.") == 20
    assert "... and 10 more under Problems." in message.body


def test_the_next_mail_waits_an_hour_and_tells_only_what_is_new(running: Cart) -> None:
    with time_machine.travel(NOW, tick=False):
        hold(running, 1)
        alerts.send_due()
    with time_machine.travel(NOW + timedelta(minutes=59), tick=False):
        Feed.objects.filter(cart=running).update(polled_at=NOW + timedelta(minutes=59))
        hold(running, 2, NOW + timedelta(minutes=30))
        alerts.send_due()
        assert len(mail.outbox) == 1
    with time_machine.travel(NOW + timedelta(minutes=61), tick=False):
        alerts.send_due()
    assert len(mail.outbox) == 2
    assert "1 order needs you:" in mail.outbox[1].body


@time_machine.travel(NOW, tick=False)
def test_nothing_new_is_no_mail(running: Cart) -> None:
    alerts.send_due()
    assert mail.outbox == []
    assert Cart.objects.get(pk=running.pk).alerted_at is None


@time_machine.travel(NOW, tick=False)
def test_a_refused_key_is_told_at_once(running: Cart) -> None:
    Feed.objects.filter(cart=running).update(needs_person=True, error="The shop refused the key.", error_at=NOW)
    alerts.send_due()
    assert "The shop refused the key." in mail.outbox[0].body


@time_machine.travel(NOW + timedelta(hours=2), tick=False)
def test_a_running_cart_that_is_not_read_is_told(running: Cart) -> None:
    alerts.send_due()
    assert "The cart was not read for 30 minutes." in mail.outbox[0].body


@time_machine.travel(NOW + timedelta(hours=25), tick=False)
def test_no_new_order_for_as_long_as_staff_set_is_told(running: Cart) -> None:
    Feed.objects.filter(cart=running).update(polled_at=NOW + timedelta(hours=25))
    Cart.objects.filter(pk=running.pk).update(silence_hours=24)
    alerts.send_due()
    assert "No new order came for 24 hours." in mail.outbox[0].body


@time_machine.travel(NOW, tick=False)
def test_a_stopped_cart_and_one_without_addresses_send_nothing(running: Cart) -> None:
    hold(running, 1)
    Cart.objects.filter(pk=running.pk).update(notification_emails="")
    alerts.send_due()
    Cart.objects.filter(pk=running.pk).update(notification_emails="staff@example.test")
    control.stop(running, "staff")
    alerts.send_due()
    assert mail.outbox == []


@time_machine.travel(NOW, tick=False)
def test_the_end_of_an_api_version_is_told_in_a_mail_that_is_sent_anyway(
    running: Cart, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = adapter_class(running.platform)
    can = replace(adapter.capabilities, api_version="2026-07", api_retires=NOW.date() + timedelta(days=30))
    monkeypatch.setattr(adapter, "capabilities", can)
    alerts.send_due()
    assert mail.outbox == []
    hold(running, 1)
    alerts.send_due()
    assert "The version 2026-07 of the API that is spoken retires on 2026-12-23, in 30 days." in mail.outbox[0].body
