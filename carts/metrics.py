"""Prometheus metrics, read from the database at each scrape: right however many processes there are."""

from collections.abc import Iterator

from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from carts.choices import PROBLEM_STATES, CartStatus, PushState, RunState
from carts.models import Cart, Feed, Push, Record, Run


class DatabaseCollector(Collector):
    """Six statements a scrape, however many carts."""

    def collect(self) -> Iterator[Metric]:
        names = dict(Cart.objects.values_list("pk", "name"))
        yield self._carts()
        yield from self._feeds()
        yield self._problems(names)
        yield self._pushes(names)
        yield self._runs()

    def _carts(self) -> Metric:
        family = GaugeMetricFamily("cartsync_carts", "Carts by status.", labels=["status"])
        found = dict(Cart.objects.order_by().values_list("status").annotate(Count("pk")))
        for status in CartStatus:
            family.add_metric([status.label], found.get(status, 0))
        return family

    def _feeds(self) -> Iterator[Metric]:
        """Of RUNNING carts: the others are not read on purpose."""
        labels, now = ["cart", "kind"], timezone.now()
        age = GaugeMetricFamily(
            "cartsync_feed_age_seconds",
            "Since the feed's last poll came to its end, or the cart's Start.",
            labels=labels,
        )
        failures = GaugeMetricFamily("cartsync_feed_failures", "Polls that failed in a row.", labels=labels)
        needs = GaugeMetricFamily("cartsync_feed_needs_person", "1: no retry helps, a person must act.", labels=labels)
        for feed in Feed.objects.filter(cart__status=CartStatus.RUNNING).select_related("cart").order_by("pk"):
            named = [feed.cart.name, feed.kind]
            since = max(filter(None, [feed.polled_at, feed.cart.started_at]), default=now)
            age.add_metric(named, (now - since).total_seconds())
            failures.add_metric(named, feed.failures)
            needs.add_metric(named, int(feed.needs_person))
        yield from (age, failures, needs)

    def _problems(self, names: dict[int, str]) -> Metric:
        family = GaugeMetricFamily("cartsync_problems", "Records that need a person.", labels=["cart", "state"])
        records = Record.objects.filter(state__in=PROBLEM_STATES).order_by()
        found = {
            (cart, state): number for cart, state, number in records.values_list("cart", "state").annotate(Count("pk"))
        }
        for cart_id, name in names.items():
            for state in PROBLEM_STATES:
                family.add_metric([name, state.value], found.get((cart_id, state), 0))
        return family

    def _pushes(self, names: dict[int, str]) -> Metric:
        family = GaugeMetricFamily("cartsync_pushes", "Changes on their way to a cart.", labels=["cart", "state"])
        pushes = Push.objects.order_by().values_list("cart", "state")
        found = {(cart, state): number for cart, state, number in pushes.annotate(Count("pk"))}
        for cart_id, name in names.items():
            for state in PushState:
                family.add_metric([name, state.value], found.get((cart_id, state.value), 0))
        return family

    def _runs(self) -> Metric:
        family = GaugeMetricFamily("cartsync_runs", "Runs by state.", labels=["state"])
        found = dict(Run.objects.order_by().values_list("state").annotate(Count("pk")))
        for state in RunState:
            family.add_metric([state.value], found.get(state, 0))
        return family


REGISTRY = CollectorRegistry(auto_describe=False)
REGISTRY.register(DatabaseCollector())
