"""Orders of one page into documents: one transaction, set-wise; the slow careful way only when that fails.

Every way an order can arrive (poll, Import selected, Retry, release of held ones) ends in `import_rows`.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from carts import gateway
from carts.choices import Kind, Outcome, Reason, RecordState
from carts.errors import Rejected
from carts.models import Cart, HeldFor, Record, Run, RunItem
from carts.platforms.base import CartAdapter
from carts.records import CartOrder, RawRecord
from carts.services import marks, open_units
from carts.services.changes import todos_of_change
from carts.services.judging import Rules, lines_with_rounding
from carts.services.matching import CustomerMatch, Need
from carts.services.planning import Decision, Planner
from cartsync import bulk

log = logging.getLogger(__name__)

# A record that breaks one of these is at fault itself; any other database error is the database's.
RECORD_FAULTS = (IntegrityError, DataError, ValueError, ArithmeticError)

# Called first inside every transaction: raises StopRequested, and keeps other writers of the cart's orders out until
# the transaction ends, as leases.hold_feed and leases.one_writer_of_orders do.
Guard = Callable[[], None]


class Importer:
    """Imports pages of one cart's orders within one run. `counts` holds how many ended with each Outcome.

    `open_run` is called once, when the first thing worth telling turns up: an idle poll leaves no run behind.
    """

    def __init__(
        self,
        cart: Cart,
        adapter: CartAdapter,
        rules: Rules,
        open_run: Callable[[], Run],
        *,
        picked_by_hand: bool = False,
        asked_for: bool = False,
    ) -> None:
        self.cart = cart
        self.run: Run | None = None
        self.counts: Counter[str] = Counter()
        self._adapter = adapter
        self._open_run = open_run
        self._planner = Planner(cart, adapter, rules, picked_by_hand=picked_by_hand, asked_for=asked_for)

    def passes_by(self, rows: Sequence[RawRecord]) -> bool:
        """True, and the rows counted, when all of them are as they were: one look for a page, and no row of it read.
        Not after the first news: where one page has some, the next ones mostly have, and the look would be wasted."""
        if self.run is not None or not self._planner.all_settled(rows):
            return False
        self.counts[Outcome.UNCHANGED.value] += len(rows)
        return True

    def import_rows(self, rows: Sequence[RawRecord], guard: Guard) -> list[Decision]:
        """Every row ends with a record, a state and a reason, or none does (StopRequested, database errors). `guard` is
        called where something is written."""
        if self.run is None:
            # Looked at first without a transaction: most polls find nothing, and leave no run behind.
            news, unchanged = self._planner.decide(rows)
            if news:
                self.run = self._open_run()
        if self.run is not None:
            news, unchanged = self._write_page(rows, guard)
        self.counts.update(decision.outcome.value for decision in news)
        self.counts[Outcome.UNCHANGED.value] += len(unchanged)
        return news + unchanged

    def _write_page(self, rows: Sequence[RawRecord], guard: Guard) -> tuple[list[Decision], list[Decision]]:
        """Decided behind the guard, where nobody else writes: so what was decided still holds when it is written."""
        try:
            with transaction.atomic():
                guard()
                news, unchanged = self._planner.decide(rows)
                self._write(news)
                return news, unchanged
        except RECORD_FAULTS:
            log.info("A page of cart %s is written record by record", self.cart.pk, exc_info=True)
        with transaction.atomic():
            guard()
            return self._write_carefully(rows)

    def _write(self, news: list[Decision]) -> None:
        self._create_documents([decision for decision in news if decision.outcome == Outcome.NEW])
        self._note_changes([decision for decision in news if decision.outcome == Outcome.UPDATED])
        self._save_records(news)
        open_units.save(self.cart, news)
        self._doubt_cart_stock(news)
        self._save_outcomes(news)

    def _doubt_cart_stock(self, news: list[Decision]) -> None:
        """With an order, and with each change of one, the shop moves its own stock: what it shows is to be read anew,
        and set where it differs from ours (a cancelled order gives units back there that our document still holds)."""
        if not self.cart.to_stock_updates:
            return
        sold = {line.external_item_id for d in news if d.order for line in d.order.lines if line.external_item_id}
        linked = Record.objects.filter(cart=self.cart, kind=Kind.ITEM, external_id__in=sold)
        linked.update(cart_stock=None)
        item_ids = linked.values_list("local_id", flat=True)
        marks.mark_stock([item_id for item_id in item_ids if item_id is not None], cart_id=self.cart.pk)

    def _write_carefully(self, rows: Sequence[RawRecord]) -> tuple[list[Decision], list[Decision]]:
        """Halve until the bad record is alone; that one is parked, all others go on. Decided anew: another worker
        may have written some of them since."""
        try:
            with transaction.atomic():
                news, unchanged = self._planner.decide(rows)
                self._write(news)
                return news, unchanged
        except RECORD_FAULTS as error:
            if len(rows) == 1:
                return self._park(rows[0], error), []
        middle = len(rows) // 2
        first, second = self._write_carefully(rows[:middle]), self._write_carefully(rows[middle:])
        return first[0] + second[0], first[1] + second[1]

    def _park(self, row: RawRecord, error: Exception) -> list[Decision]:
        """A row that cannot be written: perhaps because its document is there already, else it is a problem."""
        known = self._planner.known([row.external_id]).get(row.external_id)
        document_id = gateway.document_of(self.cart.source, row.external_id)
        if document_id:
            order = self._adapter.parse_order(row.body)
            decision = Decision(row, order, Outcome.ALREADY, known=known, local_id=document_id)
        else:
            log.error("Order %s of cart %s could not be written", row.external_id, self.cart.pk, exc_info=error)
            sentence = (
                "It could not be written into the system; the log has the cause. Click Retry when that is mended."
            )
            # Without the order: one of its own values may be what the database refuses.
            decision = Decision(row, None, Outcome.FAILED, Reason.WRITE_FAILED, sentence, known=known)
        self._save_records([decision])
        self._save_outcomes([decision])
        return [decision]

    # What is written ------------------------------------------------------------------------------

    def _create_documents(self, decisions: list[Decision]) -> None:
        if not decisions:
            return
        self._create_customers(decisions)
        documents = [self._new_document(decision) for decision in decisions]
        for decision, document_id in zip(decisions, gateway.create_documents(documents), strict=True):
            decision.local_id = document_id

    def _create_customers(self, decisions: list[Decision]) -> None:
        """Customers under their import key, one for all orders of the page that share it; then their links."""
        missing: dict[str, gateway.NewCustomer] = {}
        for decision in decisions:
            key = decision.customer.import_key
            if key and key not in missing and decision.order:
                missing[key] = new_customer(self.cart, decision.order, key)
        if not missing:
            return
        ids = dict(zip(missing, gateway.create_customers(list(missing.values())), strict=True))
        now, links = timezone.now(), {}
        for decision in decisions:
            key, order = decision.customer.import_key, decision.order
            if key and order:
                decision.customer = CustomerMatch(ids[key])
                if order.external_customer_id:
                    links[order.external_customer_id] = (
                        self.cart.pk, Kind.CUSTOMER.value, order.external_customer_id, "", order.email[:200],
                        order.billing.name[:250], RecordState.IMPORTED.value, "", "", b"", "", ids[key], False, "", "",
                        now, now,
                    )  # fmt: skip
        bulk.insert(Record, LINK_FIELDS, list(links.values()), unique=RECORD_KEY, update=("local_id", "state"))

    def _new_document(self, decision: Decision) -> gateway.NewDocument:
        order = decision.order
        assert order is not None and decision.customer.customer_id is not None
        lines = lines_with_rounding(order)
        item_ids = decision.item_ids + (None,) * (len(lines) - len(decision.item_ids))
        return gateway.new_document(
            self.cart, order, decision.customer.customer_id, lines, item_ids, todos_of_change(None, order)
        )

    def _note_changes(self, decisions: list[Decision]) -> None:
        """What the shop did to an order after its import becomes a to-do of the document, nothing else."""
        changed = {decision.row.external_id: decision for decision in decisions if decision.order}
        if not changed:
            return
        before = Record.objects.filter(cart=self.cart, kind=Kind.ORDER, external_id__in=changed)
        todos: dict[int, list[gateway.NewTodo]] = {}
        for external_id, payload in before.values_list("external_id", "payload"):
            decision = changed[external_id]
            assert decision.order is not None and decision.local_id is not None
            found = todos_of_change(self._order_before(payload), decision.order)
            if found:
                todos[decision.local_id] = found
                decision.reason = " ".join(todo.text for todo in found)
        gateway.add_todos(todos)

    def _order_before(self, payload: str) -> CartOrder | None:
        try:
            return self._adapter.parse_order(payload)
        except Rejected:
            return None  # what the shop sent last could not be read

    def _save_records(self, decisions: list[Decision]) -> None:
        now = timezone.now()
        rows = [self._record(decision, now) for decision in decisions]
        bulk.insert(Record, RECORD_FIELDS, rows, unique=RECORD_KEY, update=RECORD_FIELDS[len(RECORD_KEY) :])
        # Only what was held before, or is now, has rows there.
        held = {
            decision.row.external_id: decision.needs
            for decision in decisions
            if decision.needs or (decision.known and decision.known.state == RecordState.HELD)
        }
        if held:
            self._save_needs(held)

    def _record(self, decision: Decision, now: datetime) -> tuple[Any, ...]:
        """The values of RECORD_FIELDS."""
        order, row = decision.order, decision.row
        payload = self._adapter.clean(row.body) if order else row.body.decode(errors="replace")
        of_order: tuple[Any, ...] = ("", None, "", None, "")
        if order:
            of_order = (order.email[:250], order.placed_at, order.status, order.total, order.currency)
        return (
            self.cart.pk, Kind.ORDER.value, row.external_id, "", decision.label[:200], decision.state.value,
            decision.reason_code, decision.reason, row.digest, payload, decision.local_id, decision.picked_by_hand,
            row.modified_at, decision.due_at, now, now, *of_order,
        )  # fmt: skip

    def _save_needs(self, held: Mapping[str, Sequence[Need]]) -> None:
        records = Record.objects.filter(cart=self.cart, kind=Kind.ORDER, external_id__in=held)
        ids = dict(records.values_list("external_id", "pk"))
        HeldFor.objects.filter(record_id__in=ids.values()).delete()
        HeldFor.objects.bulk_create(
            HeldFor(
                record_id=ids[external_id],
                cart=self.cart,
                reason_code=need.reason_code,
                key=need.key,
                external_item_id=need.external_item_id,
                label=need.label[:250],
            )
            for external_id, needs in held.items()
            for need in needs
        )

    def _save_outcomes(self, decisions: list[Decision]) -> None:
        assert self.run is not None
        # Imported and then read again within one run, because it was edited meanwhile: it stays imported there.
        updated = [d.row.external_id for d in decisions if d.outcome == Outcome.UPDATED]
        earlier = self.run.items.filter(external_id__in=updated, outcome=Outcome.NEW)
        new = set(earlier.values_list("external_id", flat=True))
        rows = [
            (
                self.run.pk, decision.row.external_id, decision.label[:200],
                Outcome.NEW.value if decision.row.external_id in new else decision.outcome.value,
                decision.reason_code, decision.reason, decision.local_id,
            )
            for decision in decisions
        ]  # fmt: skip
        bulk.insert(RunItem, OUTCOME_FIELDS, rows, unique=OUTCOME_KEY, update=OUTCOME_FIELDS[len(OUTCOME_KEY) :])


RECORD_KEY = ("cart", "kind", "external_id")
RECORD_FIELDS = (
    *RECORD_KEY, "parent_id", "label", "state", "reason_code", "reason", "digest", "payload", "local_id",
    "picked_by_hand", "modified_at", "due_at", "seen_at", "changed_at", "name", "placed_at", "shop_status", "total",
    "currency",
)  # fmt: skip
LINK_FIELDS = (
    *RECORD_KEY, "parent_id", "label", "name", "state", "reason_code", "reason", "digest", "payload", "local_id",
    "picked_by_hand", "shop_status", "currency", "seen_at", "changed_at",
)  # fmt: skip
OUTCOME_KEY = ("run", "external_id")
OUTCOME_FIELDS = (*OUTCOME_KEY, "label", "outcome", "reason_code", "message", "local_id")


def new_customer(cart: Cart, order: CartOrder, import_key: str) -> "gateway.NewCustomer":
    if import_key == f"{cart.source}:guests":
        return gateway.new_customer(f"Guests of {cart.name}", "", order.billing, order.shipping, import_key)
    name = order.billing.name or order.billing.company or order.email or f"Customer {order.external_customer_id}"
    return gateway.new_customer(name, order.email, order.billing, order.shipping, import_key)


def readable(body: bytes) -> str:
    """A body nobody could parse, as text a database takes."""
    return body.decode(errors="replace").replace("\0", "")
