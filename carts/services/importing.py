"""Orders of one page into documents: one transaction, set-wise; the slow careful way only when that fails.

Every way an order can arrive (poll, Import selected, Retry, release of held ones) ends in `import_rows`.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from carts import gateway
from carts.choices import Kind, Outcome, Reason, RecordState
from carts.models import Cart, HeldFor, Record, Run, RunItem
from carts.platforms.base import CartAdapter
from carts.records import CartOrder, RawRecord
from carts.services.changes import todos_of_change
from carts.services.judging import Rules, lines_with_rounding
from carts.services.matching import CustomerMatch
from carts.services.planning import Decision, Planner

log = logging.getLogger(__name__)

# A record that breaks one of these is at fault itself; any other database error is the database's.
RECORD_FAULTS = (IntegrityError, DataError, ValueError)

Guard = Callable[[], None]  # raises StopRequested; called first inside every transaction


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
    ) -> None:
        self.cart = cart
        self.run: Run | None = None
        self.counts: Counter[str] = Counter()
        self._adapter = adapter
        self._open_run = open_run
        self._planner = Planner(cart, adapter, rules, picked_by_hand=picked_by_hand)

    def import_rows(self, rows: Sequence[RawRecord], guard: Guard) -> list[Decision]:
        """Every row ends with a record, a state and a reason, or none does (StopRequested, database errors)."""
        news, unchanged = self._planner.decide(rows)
        if news:
            self.run = self.run or self._open_run()
            news, unchanged_after_all = self._write_page(news, guard)
            unchanged += unchanged_after_all
        else:
            guard()
        self.counts.update(decision.outcome.value for decision in news)
        self.counts[Outcome.UNCHANGED.value] += len(unchanged)
        return news + unchanged

    def _write_page(self, news: list[Decision], guard: Guard) -> tuple[list[Decision], list[Decision]]:
        try:
            with transaction.atomic():
                guard()
                self._write(news)
            return news, []
        except RECORD_FAULTS:
            with transaction.atomic():
                guard()
                return self._write_carefully([decision.row for decision in news])

    def _write(self, news: list[Decision]) -> None:
        self._create_documents([decision for decision in news if decision.outcome == Outcome.NEW])
        self._note_changes([decision for decision in news if decision.outcome == Outcome.UPDATED])
        self._save_records(news)
        self._save_outcomes(news)

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
                    links[order.external_customer_id] = Record(
                        cart=self.cart,
                        kind=Kind.CUSTOMER,
                        external_id=order.external_customer_id,
                        label=order.email,
                        name=order.billing.name,
                        state=RecordState.IMPORTED,
                        digest=b"",
                        payload="",
                        local_id=ids[key],
                        seen_at=now,
                        changed_at=now,
                    )
        Record.objects.bulk_create(
            links.values(),
            update_conflicts=True,
            unique_fields=["cart", "kind", "external_id"],
            update_fields=["local_id", "state"],
        )

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
            found = todos_of_change(self._adapter.parse_order(payload) if payload else None, decision.order)
            if found:
                todos[decision.local_id] = found
                decision.reason = " ".join(todo.text for todo in found)
        gateway.add_todos(todos)

    def _save_records(self, decisions: list[Decision]) -> None:
        now = timezone.now()
        records = [self._record(decision, now) for decision in decisions]
        Record.objects.bulk_create(
            records,
            update_conflicts=True,
            unique_fields=["cart", "kind", "external_id"],
            update_fields=RECORD_FIELDS,
        )
        # Only what was held before, or is now, has rows there.
        if any(
            decision.needs or (decision.known and decision.known.state == RecordState.HELD) for decision in decisions
        ):
            self._save_needs(records, decisions)

    def _record(self, decision: Decision, now: datetime) -> Record:
        order, row = decision.order, decision.row
        record = Record(
            cart=self.cart,
            kind=Kind.ORDER,
            external_id=row.external_id,
            label=decision.label[:200],
            state=decision.state,
            reason_code=decision.reason_code,
            reason=decision.reason,
            digest=row.digest,
            payload=self._adapter.clean(row.body) if order else readable(row.body),
            local_id=decision.local_id,
            picked_by_hand=decision.picked_by_hand,
            modified_at=row.modified_at,
            due_at=decision.due_at,
            seen_at=now,
            changed_at=now,
        )
        if order:
            record.name = order.email[:250]
            record.placed_at = order.placed_at
            record.shop_status = order.status
            record.total = order.total
            record.currency = order.currency
        return record

    def _save_needs(self, records: list[Record], decisions: list[Decision]) -> None:
        # The upsert's ids are those of the rows as they stand, new or old.
        HeldFor.objects.filter(record_id__in=[record.pk for record in records]).delete()
        HeldFor.objects.bulk_create(
            HeldFor(
                record=record,
                cart=self.cart,
                reason_code=need.reason_code,
                key=need.key,
                external_item_id=need.external_item_id,
                label=need.label[:250],
            )
            for record, decision in zip(records, decisions, strict=True)
            for need in decision.needs
        )

    def _save_outcomes(self, decisions: list[Decision]) -> None:
        RunItem.objects.bulk_create(
            (
                RunItem(
                    run=self.run,
                    external_id=decision.row.external_id,
                    label=decision.label[:200],
                    outcome=decision.outcome,
                    reason_code=decision.reason_code,
                    message=decision.reason,
                    local_id=decision.local_id,
                )
                for decision in decisions
            ),
            update_conflicts=True,
            unique_fields=["run", "external_id"],
            update_fields=["label", "outcome", "reason_code", "message", "local_id"],
        )


RECORD_FIELDS = [
    "label", "name", "state", "reason_code", "reason", "digest", "payload", "local_id", "picked_by_hand", "placed_at",
    "modified_at", "due_at", "shop_status", "total", "currency", "seen_at", "changed_at",
]  # fmt: skip


def new_customer(cart: Cart, order: CartOrder, import_key: str) -> "gateway.NewCustomer":
    if import_key == f"{cart.source}:guests":
        return gateway.new_customer(f"Guests of {cart.name}", "", order.billing, order.shipping, import_key)
    name = order.billing.name or order.billing.company or order.email or f"Customer {order.external_customer_id}"
    return gateway.new_customer(name, order.email, order.billing, order.shipping, import_key)


def readable(body: bytes) -> str:
    """A body nobody could parse, as text a database takes."""
    return body.decode(errors="replace").replace("\0", "")
