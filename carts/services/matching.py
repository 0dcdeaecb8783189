"""Whose order is it and what was bought: cart values matched to records of the back office, a page at a time.

Order of trust: an existing link, a person's remembered answer, then the e-mail or SKU.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from carts import gateway
from carts.choices import GuestRule, Kind, LineKind, Reason
from carts.models import Cart, Record, RememberedAnswer
from carts.records import CartOrder, OrderLine

# Enough for the busiest part of a catalogue; a bound, so that a long backlog needs no more memory than a short one.
ITEM_CACHE_SIZE = 20_000


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a person has to answer before an order can be imported."""

    reason_code: Reason
    key: str
    sentence: str
    label: str = ""
    external_item_id: str = ""


@dataclass(frozen=True, slots=True)
class CustomerMatch:
    """`customer_id` of one of ours, or else `import_key`: the customer is to be created under it."""

    customer_id: int | None = None
    import_key: str = ""
    need: Need | None = None


@dataclass(slots=True)
class Matches:
    """What the back office and the cart's links say about one page of orders."""

    linked_customers: dict[str, int] = field(default_factory=dict)
    customers_by_email: dict[str, list[int]] = field(default_factory=dict)
    customer_answers: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)  # line key -> item id


def line_key(line: OrderLine) -> str:
    """What identifies the article of a line: its SKU, else the shop's product, else its name."""
    sku = gateway.normalise_sku(line.sku)
    if sku:
        return sku
    return f"product:{line.external_item_id}" if line.external_item_id else f"name:{line.description.strip()[:200]}"


class Matcher:
    """Looks up one cart's customers and items; found items are remembered for the length of a run."""

    def __init__(self, cart: Cart) -> None:
        self._cart = cart
        self._items: dict[tuple[str, str], int] = {}
        self._has_answers = RememberedAnswer.objects.filter(cart=cart).exists()

    def look_up(self, orders: Sequence[CartOrder]) -> Matches:
        lines = {
            (line.external_item_id, line_key(line)): line
            for order in orders
            for line in order.lines
            if line.kind == LineKind.ITEM
        }
        unknown = [pair for pair in lines if pair not in self._items]
        customer_ids = {order.external_customer_id for order in orders if order.external_customer_id}
        email_keys = {gateway.normalise_email(order.email) for order in orders if order.email}
        linked_items, linked_customers = self._links({pair[0] for pair in unknown if pair[0]}, customer_ids)
        answers = self._answers({key for _, key in unknown}, email_keys | {no_email_key(order) for order in orders})
        self._find_items(unknown, linked_items, answers[Kind.ITEM])
        return Matches(
            linked_customers=linked_customers,
            customers_by_email=gateway.customers_by_email(email_keys),
            customer_answers=answers[Kind.CUSTOMER],
            items={f"{pair[0]}|{pair[1]}": self._items[pair] for pair in lines if pair in self._items},
        )

    def _links(self, item_ids: set[str], customer_ids: set[str]) -> tuple[dict[str, int], dict[str, int]]:
        found: dict[str, dict[str, int]] = {Kind.ITEM: {}, Kind.CUSTOMER: {}}
        if not item_ids and not customer_ids:
            return {}, {}
        wanted = Q(kind=Kind.ITEM, external_id__in=item_ids) | Q(kind=Kind.CUSTOMER, external_id__in=customer_ids)
        rows = Record.objects.filter(wanted, cart=self._cart, local_id__isnull=False)
        for kind, external_id, local_id in rows.values_list("kind", "external_id", "local_id"):
            assert local_id is not None  # as filtered
            found[kind][external_id] = local_id
        return found[Kind.ITEM], found[Kind.CUSTOMER]

    def _answers(self, item_keys: set[str], customer_keys: set[str]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {Kind.ITEM: {}, Kind.CUSTOMER: {}}
        if self._has_answers:
            wanted = Q(kind=Kind.ITEM, key__in=item_keys) | Q(kind=Kind.CUSTOMER, key__in=customer_keys)
            rows = RememberedAnswer.objects.filter(wanted, cart=self._cart)
            for kind, key, local_id in rows.values_list("kind", "key", "local_id"):
                found[kind][key] = local_id
        return found

    def _find_items(self, unknown: Iterable[tuple[str, str]], linked: dict[str, int], answered: dict[str, int]) -> None:
        by_sku: dict[str, int] = {}
        open_keys = {key for external_id, key in unknown if external_id not in linked and key not in answered}
        if open_keys:
            by_sku = gateway.items_by_sku(open_keys)
        if len(self._items) > ITEM_CACHE_SIZE:
            self._items.clear()
        for external_id, key in unknown:
            found = linked.get(external_id) or answered.get(key) or by_sku.get(key)
            if found:
                self._items[external_id, key] = found

    # One order against what was looked up -------------------------------------------------------------

    def item_id(self, line: OrderLine, matches: Matches) -> int | None:
        return matches.items.get(f"{line.external_item_id}|{line_key(line)}")

    def missing_items(self, order: CartOrder, matches: Matches) -> list[Need]:
        needs = []
        for line in order.lines:
            if line.kind != LineKind.ITEM:
                continue
            if self.item_id(line, matches) is None:
                named = f"SKU {line.sku}" if line.sku else f"“{line.description}”, which has no SKU,"
                sentence = f"{named} is not among the items."
                needs.append(
                    Need(
                        Reason.UNKNOWN_SKU,
                        line_key(line),
                        sentence,
                        label=line.sku or line.description,
                        external_item_id=line.external_item_id,
                    )
                )
        return needs

    def customer(self, order: CartOrder, matches: Matches) -> CustomerMatch:
        linked = matches.linked_customers.get(order.external_customer_id) if order.external_customer_id else None
        if linked:
            return CustomerMatch(linked)
        is_guest = not order.external_customer_id
        if is_guest and self._cart.guest_rule == GuestRule.SHARED:
            if self._cart.guest_customer_id:
                return CustomerMatch(self._cart.guest_customer_id)
            return CustomerMatch(import_key=f"{self._cart.source}:guests")
        key = gateway.normalise_email(order.email)
        answered = matches.customer_answers.get(key or no_email_key(order))
        if answered:
            return CustomerMatch(answered)
        if not key:
            return self._without_email(order, is_guest)
        candidates = matches.customers_by_email.get(key, [])
        if len(candidates) > 1:
            sentence = f"{len(candidates)} customers have the e-mail address {order.email}."
            return CustomerMatch(need=Need(Reason.AMBIGUOUS_CUSTOMER, key, sentence, label=order.email))
        return CustomerMatch(candidates[0]) if candidates else CustomerMatch(import_key=key)

    def _without_email(self, order: CartOrder, is_guest: bool) -> CustomerMatch:
        if not is_guest:
            return CustomerMatch(import_key=f"{self._cart.source}:customer:{order.external_customer_id}")
        sentence = "The buyer is a guest who left no e-mail address."
        return CustomerMatch(need=Need(Reason.NO_EMAIL, no_email_key(order), sentence, label=order.billing.name))


def no_email_key(order: CartOrder) -> str:
    return f"order:{order.external_id}"
