"""What would become of a page of orders. Reads only; importing writes it down, a rehearsal just tells it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from carts.choices import Kind, Outcome, Reason, RecordState
from carts.errors import Rejected
from carts.models import Cart, Record
from carts.platforms.base import CartAdapter
from carts.records import CartOrder, RawRecord
from carts.services.judging import Rules, Verdict, judge
from carts.services.matching import CustomerMatch, Matcher, Need
from cartsync import bulk

# With the digest unchanged, these are done with. The others may be judged differently today than yesterday.
SETTLED = (RecordState.IMPORTED, RecordState.IGNORED, RecordState.FAILED)
STATE_OF_OUTCOME = {
    Outcome.NEW: RecordState.IMPORTED,
    Outcome.ALREADY: RecordState.IMPORTED,
    Outcome.UPDATED: RecordState.IMPORTED,
    Outcome.HELD: RecordState.HELD,
    Outcome.WAITING: RecordState.WAITING,
    Outcome.FILTERED: RecordState.FILTERED,
    Outcome.BEFORE_START: RecordState.FILTERED,
    Outcome.IGNORED: RecordState.IGNORED,
    Outcome.FAILED: RecordState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What we have of a record already."""

    digest: bytes
    state: str
    reason_code: str
    reason: str
    local_id: int | None
    modified_at: datetime | None
    picked_by_hand: bool
    due_at: datetime | None


@dataclass(slots=True)
class Decision:
    """One order of the page and what becomes of it."""

    row: RawRecord
    order: CartOrder | None
    outcome: Outcome
    reason_code: Reason = Reason.NONE
    reason: str = ""
    due_at: datetime | None = None
    known: Known | None = None
    customer: CustomerMatch = field(default_factory=CustomerMatch)
    item_ids: tuple[int | None, ...] = ()
    needs: list[Need] = field(default_factory=list)
    local_id: int | None = None
    picked_by_hand: bool = False

    @property
    def label(self) -> str:
        return self.order.number if self.order else self.row.external_id

    @property
    def state(self) -> RecordState:
        return STATE_OF_OUTCOME[self.outcome]

    @property
    def is_news(self) -> bool:
        """False when the record says already all that would be written."""
        known = self.known
        if known is None:
            return True
        said = (known.digest, known.state, known.reason_code, known.reason, known.due_at, known.picked_by_hand)
        return said != (
            self.row.digest, self.state, self.reason_code, self.reason, self.due_at, self.picked_by_hand
        )  # fmt: skip


class Planner:
    """Decides for one cart and one run. Items found are remembered from page to page.

    `asked_for`: a person wants these orders looked at again, so one that failed or was ignored is not settled.
    """

    def __init__(
        self,
        cart: Cart,
        adapter: CartAdapter,
        rules: Rules,
        *,
        picked_by_hand: bool = False,
        asked_for: bool = False,
    ) -> None:
        self._picked_by_hand = picked_by_hand
        self._settled = (RecordState.IMPORTED,) if picked_by_hand or asked_for else SETTLED
        self._cart = cart
        self._adapter = adapter
        self._rules = rules
        self._matcher = Matcher(cart)

    def known(self, external_ids: Sequence[str]) -> dict[str, Known]:
        rows = Record.objects.filter(cart=self._cart, kind=Kind.ORDER, external_id__in=external_ids).values_list(
            "external_id", "digest", "state", "reason_code", "reason", "local_id", "modified_at", "picked_by_hand",
            "due_at",
        )  # fmt: skip
        return {row[0]: Known(bytes(row[1]), *row[2:]) for row in rows}

    def all_settled(self, rows: Sequence[RawRecord]) -> bool:
        """Whether each row is stored with this very digest and done with. A digest covers the id, so it cannot be that
        of another row."""
        ids, digests = {row.external_id for row in rows}, {row.digest for row in rows}
        if not ids:
            return True
        same: dict[str, list[Any]] = {
            "external_id": [*ids],
            "digest": [*digests],
            "state": [state.value for state in self._settled],
        }
        met = bulk.count(Record, {"cart": self._cart.pk, "kind": Kind.ORDER.value}, same)
        return len(digests) == len(ids) == met

    def decide(self, rows: Sequence[RawRecord]) -> tuple[list[Decision], list[Decision]]:
        """(what has something new to it, what is as it was), each in the order of the rows."""
        latest = {row.external_id: row for row in rows}
        # The quick look most rows of most polls end with: no parsing, and no more read than tells that.
        met = Record.objects.filter(cart=self._cart, kind=Kind.ORDER, external_id__in=latest)
        unchanged, changed = [], []
        for external_id, digest, state, local_id in met.values_list("external_id", "digest", "state", "local_id"):
            if state in self._settled and bytes(digest) == latest[external_id].digest:
                unchanged.append(Decision(latest.pop(external_id), None, Outcome.UNCHANGED, local_id=local_id))
            else:
                changed.append(external_id)
        known = self.known(changed) if changed else {}
        decisions = [self._decide_alone(row, known.get(external_id)) for external_id, row in latest.items()]
        self._match([decision for decision in decisions if decision.outcome == Outcome.NEW])
        unchanged += [decision for decision in decisions if not decision.is_news]
        return [decision for decision in decisions if decision.is_news], unchanged

    def _decide_alone(self, row: RawRecord, known: Known | None) -> Decision:
        picked = self._picked_by_hand or bool(known and known.picked_by_hand)
        try:
            order = self._adapter.parse_order(row.body)
        except Rejected as error:
            decision = Decision(row, None, Outcome.FAILED, Reason.UNREADABLE, error.sentence, known=known)
            decision.local_id, decision.picked_by_hand = known.local_id if known else None, picked
            return decision
        if known and known.local_id:
            return Decision(row, order, Outcome.UPDATED, known=known, local_id=known.local_id, picked_by_hand=picked)
        if known and known.state == RecordState.IGNORED and not self._picked_by_hand:
            return Decision(row, order, Outcome.IGNORED, Reason.BY_STAFF, known.reason, known=known)
        verdict: Verdict = judge(order, self._rules, timezone.now(), picked_by_hand=picked)
        decision = Decision(
            row,
            order,
            verdict.outcome,
            verdict.reason_code,
            verdict.reason,
            verdict.due_at,
            known=known,
            picked_by_hand=picked,
        )
        if verdict.reason_code == Reason.CURRENCY:
            decision.needs = [Need(Reason.CURRENCY, verdict.key, verdict.reason, label=verdict.key)]
        return decision

    def _match(self, decisions: list[Decision]) -> None:
        if not decisions:
            return
        matches = self._matcher.look_up([decision.order for decision in decisions if decision.order])
        for decision in decisions:
            order = decision.order
            assert order is not None
            decision.customer = self._matcher.customer(order, matches)
            decision.item_ids = tuple(
                self._matcher.item_id(line, matches) if line.kind == "item" else None for line in order.lines
            )
            decision.needs = self._matcher.missing_items(order, matches)
            if decision.customer.need:
                decision.needs.append(decision.customer.need)
            if decision.needs:
                decision.outcome = Outcome.HELD
                decision.reason_code = decision.needs[0].reason_code
                decision.reason = " ".join(dict.fromkeys(need.sentence for need in decision.needs))
