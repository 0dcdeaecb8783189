"""/healthz and /metrics: what a machine that watches CartSync reads."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection
from prometheus_client.parser import text_string_to_metric_families

from carts.choices import RecordState
from carts.models import Cart, Feed, Record, Run

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOKEN = {"Authorization": "Bearer watch-me"}


def figures(client) -> dict:
    """Every sample by its name and labels."""
    answer = client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.fixture
def token(settings):
    settings.METRICS_TOKEN = "watch-me"


def test_metrics_are_off_without_a_token_and_closed_to_a_wrong_one(client, settings):
    assert settings.METRICS_TOKEN == ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "watch-me"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer watch-you"}).status_code == 403
    assert client.post("/metrics", headers=TOKEN).status_code == 405


def test_metrics_tell_carts_feeds_problems_and_runs(client, token):
    with time_machine.travel(NOW, tick=False):
        shop = Cart.objects.create(
            name='The "best" shop', url="https://a.example.test", status="running", started_at=NOW - timedelta(hours=2)
        )
        quiet = Cart.objects.create(name="Quiet", url="https://b.example.test")
        Feed.objects.create(
            cart=shop, kind="order", polled_at=NOW - timedelta(seconds=90), failures=3, needs_person=True
        )
        Feed.objects.create(cart=quiet, kind="order", polled_at=NOW - timedelta(days=9))
        for number, state in enumerate((RecordState.HELD, RecordState.HELD, RecordState.FAILED, RecordState.IMPORTED)):
            Record.objects.create(
                cart=shop, kind="order", external_id=str(number), state=state, digest=b"d", payload="{}",
                seen_at=NOW, changed_at=NOW,
            )  # fmt: skip
        Run.objects.create(cart=shop, kind="sync", state="done")
        found = figures(client)
    name = shop.name
    assert {key: value for key, value in found.items() if value} == {
        ("cartsync_carts", "RUNNING"): 1,
        ("cartsync_carts", "STOPPED"): 1,
        ("cartsync_feed_age_seconds", name, "order"): 90,
        ("cartsync_feed_failures", name, "order"): 3,
        ("cartsync_feed_needs_person", name, "order"): 1,
        ("cartsync_problems", name, "held"): 2,
        ("cartsync_problems", name, "failed"): 1,
        ("cartsync_runs", "done"): 1,
    }
    assert found["cartsync_problems", "Quiet", "held"] == 0
    assert ("cartsync_feed_age_seconds", "Quiet", "order") not in found


def test_a_scrape_takes_as_many_statements_for_ten_carts_as_for_one(client, token, django_assert_num_queries):
    for number in range(10):
        cart = Cart.objects.create(name=str(number), url="https://shop.example.test", status="running")
        Feed.objects.create(cart=cart, kind="order")
    with django_assert_num_queries(6):
        figures(client)


def test_healthz_tells_whether_the_database_answers_without_a_sign_in(client, monkeypatch):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")

    def refuse():
        raise OperationalError("connection refused: secret-host")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (503, b"The database does not answer.\n")


def test_healthz_is_not_sent_on_to_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
