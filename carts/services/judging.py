"""What one order deserves by the cart's settings alone. Pure: no database, no clock of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from carts.choices import LineKind, Outcome, Reason
from carts.models import Cart
from carts.records import CartOrder, OrderLine

ROUNDING_TEXT = "Rounding of the shop"


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings an order is judged by, frozen for the length of a run."""

    fence: datetime | None
    statuses: frozenset[str]
    grace: timedelta
    currencies: frozenset[str]

    @classmethod
    def of(cls, cart: Cart) -> "Rules":
        return cls(
            fence=cart.order_fence,
            statuses=frozenset(cart.order_statuses),
            grace=timedelta(minutes=cart.grace_minutes),
            currencies=cart.accepted_currencies,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reason_code: Reason = Reason.NONE
    reason: str = ""
    key: str = ""
    due_at: datetime | None = None


IMPORT = Verdict(Outcome.NEW)


def judge(order: CartOrder, rules: Rules, now: datetime, *, picked_by_hand: bool = False) -> Verdict:
    """IMPORT, or why not (yet). Of an order a person picked, date, status and delay are that person's decision."""
    if order.parent_id:
        return Verdict(
            Outcome.FILTERED, Reason.SUB_ORDER, f"It is a part of order {order.parent_id}, which is imported whole."
        )
    if not picked_by_hand:
        refusal = _by_date_and_status(order, rules, now)
        if refusal:
            return refusal
    if order.currency not in rules.currencies:
        accepted = ", ".join(sorted(rules.currencies)) or "none yet: run Test Connection"
        return Verdict(
            Outcome.HELD,
            Reason.CURRENCY,
            f"The order is in {order.currency}; this cart imports {accepted}.",
            key=order.currency,
        )
    return _by_amounts(order) or IMPORT


def _by_date_and_status(order: CartOrder, rules: Rules, now: datetime) -> Verdict | None:
    if rules.fence is not None and order.placed_at < rules.fence:
        return Verdict(Outcome.BEFORE_START, Reason.BEFORE_START, "It was placed before Last Order from.")
    if order.status not in rules.statuses:
        return Verdict(
            Outcome.FILTERED, Reason.STATUS, f"Its status is {order.status}; it is imported when that changes."
        )
    due_at = order.placed_at + rules.grace
    # Without a delay our clock has no say: a shop whose clock is ahead of it would wait for nothing.
    if rules.grace and due_at > now:
        return Verdict(Outcome.WAITING, Reason.GRACE, "The grace delay is not over yet.", due_at=due_at)
    return None


def _by_amounts(order: CartOrder) -> Verdict | None:
    lines, taxes = sum_of_lines(order), sum((line.tax for line in order.lines), Decimal(0))
    if abs(order.total - lines) > order.rounding_limit:
        return _differs(f"The lines add up to {lines} {order.currency}, the order says {order.total}.")
    if abs(order.tax_total - taxes) > order.rounding_limit:
        return _differs(f"The lines' taxes add up to {taxes} {order.currency}, the order says {order.tax_total}.")
    if not order.lines:
        return _differs("The order has no lines.")
    return None


def _differs(sentence: str) -> Verdict:
    return Verdict(Outcome.HELD, Reason.TOTAL_DIFFERS, sentence)


def sum_of_lines(order: CartOrder) -> Decimal:
    return sum((line.net + line.tax for line in order.lines), Decimal(0))


def lines_with_rounding(order: CartOrder) -> tuple[OrderLine, ...]:
    """The order's lines, and the shop's rounding drift as a line of its own where there is one."""
    difference = order.total - sum_of_lines(order)
    if not difference:
        return order.lines
    rounding = OrderLine(
        kind=LineKind.ROUNDING,
        external_item_id="",
        sku="",
        description=ROUNDING_TEXT,
        quantity=Decimal(1),
        net=difference,
        tax=Decimal(0),
    )
    return (*order.lines, rounding)
