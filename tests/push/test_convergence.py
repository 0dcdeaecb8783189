"""Whatever happens on both sides, in any order and with any fault: when it is quiet, the shop shows the formula."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.models import Document, Item
from backoffice.services import states, stock
from carts.choices import Kind
from carts.models import Cart, Feed, Outbox, Push, Record
from carts.services import leases, marks, stock_rows, stock_sweep, ticking
from carts.services.connections import adapter_for, capabilities
from carts.services.pushing import Drain
from sandbox.testing import PracticeShop
from tests.contract.harness import HARNESSES
from tests.engine.helpers import external_id, fresh, try_poll
from tests.push.conftest import count_in, kept, shows, writes

ITEMS = 3
numbers = st.integers(0, ITEMS - 1)
ACTIONS = st.one_of(
    st.tuples(st.just("count"), numbers, st.integers(-5, 20).filter(bool)),
    st.tuples(st.just("order"), numbers, st.integers(1, 4), st.sampled_from(["processing", "on-hold", "completed"])),
    st.tuples(st.just("pay or cancel"), st.sampled_from(["processing", "cancelled"])),
    st.tuples(st.just("approve or cancel"), st.booleans()),
    st.tuples(st.just("poll")),
    st.tuples(st.just("push")),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("edit in the shop"), numbers, st.integers(0, 50)),
    st.tuples(st.just("killed after sending")),
    st.tuples(st.just("killed before sending")),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["500", "429", "timeout", "reset", "truncated", "html200"]),
        st.sampled_from(["/batch", "/products", "/orders"]),
        st.booleans(),
    ),
)


class Life:
    """One cart and its shop; every action is something that happens to live ones."""

    def __init__(self, cart: Cart, place: PracticeShop) -> None:
        self.cart, self.place = cart, place
        self.wares = [kept(place, number) for number in range(ITEMS)]
        self.was_edited = False

    def happens(self, what: str, *more) -> None:
        getattr(self, what.replace(" ", "_"))(*more)

    def count(self, number: int, quantity: int) -> None:
        count_in(self.wares[number][1], quantity)

    def order(self, number: int, quantity: int, status: str) -> None:
        self.place.shop.place_order(self.wares[number][1].sku, quantity=quantity, status=status)

    def pay_or_cancel(self, status: str) -> None:
        if self.place.shop.orders.rows:
            self.place.shop.set_status(max(self.place.shop.orders.rows), status)

    def approve_or_cancel(self, approves: bool) -> None:
        document = Document.objects.order_by("-pk").first()
        if document and document.state == "pending" and approves:
            states.approve(document.pk, by=None)
        elif document and document.state != "cancelled" and not approves:
            states.cancel(document.pk, by=None)

    def poll(self) -> None:
        Feed.objects.update(next_poll_at=None)
        try_poll(self.cart)

    def push(self) -> None:
        """Twice where the cart answers before it is done: what was sent is read after its time, which is over now."""
        for _ in range(2 if capabilities(self.cart).stock_settles_seconds else 1):
            Push.objects.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())
            Outbox.objects.update(next_drain_at=None)
            ticking.push_stock(self.cart.pk)

    def sweep(self) -> None:
        Outbox.objects.update(swept_at=timezone.now() - timedelta(days=1), next_drain_at=None)
        ticking.push_stock(self.cart.pk)

    def edit_in_the_shop(self, number: int, quantity: int) -> None:
        self.was_edited = True
        self.place.shop.set_stock(self.wares[number][1].sku, quantity)

    def killed_after_sending(self) -> None:
        """The shop has the quantities, and nobody wrote down that it has."""
        drain, marks_read = self._claimed()
        drain._settle = lambda *_: None  # type: ignore[method-assign]
        if marks_read:
            drain._send(adapter_for(self.cart), marks_read)
        self._expire()

    def killed_before_sending(self) -> None:
        self._claimed()
        self._expire()

    def fault(self, kind: str, match: str, processed: bool) -> None:
        match = HARNESSES[self.place.platform_name].paths.get(match, match)
        self.place.faults.add(kind, match=match, processed=processed, seconds=0.01)

    def _claimed(self) -> tuple[Drain, list[stock_rows.Due]]:
        self.place.faults.clear()
        outbox = stock_sweep.outbox_of(self.cart)
        token = leases.claim_outbox(outbox.pk)
        drain = Drain(stock_rows.StockLease(token, Outbox.objects.select_related("cart").get(pk=outbox.pk)))
        return drain, stock_rows.waiting(self.cart.pk, 500)

    def _expire(self) -> None:
        Outbox.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    def falls_quiet(self) -> None:
        """Faults end, and what workers do by themselves is done. All is compared only where nothing else could tell:
        a comparison would mend whatever a push got wrong, and hide it."""
        self.place.faults.clear()
        self.poll()
        if self.was_edited:
            self.sweep()
        self.push()

    def should_show(self) -> dict[int, Decimal]:
        """Promise 8 reckoned from what is in the shop and in the back office, by none of the code under test."""
        imported = set(Document.objects.values_list("source_ref", flat=True))
        shown = {}
        for shop_id, item in self.wares:
            sold = sum(
                line.quantity
                for order in self.place.shop.orders.rows.values()
                if external_id(self.place, order) not in imported and order.status != "cancelled"
                for line in order.lines
                if line.product_id == shop_id
            )
            known = stock.availability([item.pk])[item.pk]
            shown[item.pk] = max(Decimal(0), known.on_hand - known.committed - known.pending - sold)
        return shown


def converges(life: Life, actions: list[tuple]) -> None:
    """Let the actions happen and all fall quiet; then the shop shows the formula, and nothing more is written."""
    place = life.place
    Cart.objects.update(started_at=timezone.now() - timedelta(days=2))
    place.faults.clear()
    life.poll()
    life.sweep()
    for action in actions:
        life.happens(*action)
    life.falls_quiet()
    wanted = life.should_show()
    assert {item.pk: Decimal(shows(place, shop_id) or 0) for shop_id, item in life.wares} == wanted
    assert not Push.objects.exists()
    known = Record.objects.filter(kind=Kind.ITEM, local_id__in=wanted, cart_stock__isnull=False)
    assert all(wanted[record.local_id] == record.cart_stock for record in known)
    place.requests.clear()
    life.falls_quiet()
    marks.mark_stock([item.pk for item in Item.objects.all()])
    life.push()
    assert writes(place) == []


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(ACTIONS, max_size=14))
def test_when_it_is_quiet_the_shop_shows_the_formula_and_nothing_more_is_written(cart, place, actions):
    converges(Life(fresh(cart), place), actions)
