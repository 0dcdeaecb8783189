"""Held orders: a person's answer mends the cause, and every order it held is released at once."""

from collections.abc import Sequence
from functools import partial, reduce
from operator import or_

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from simple_history.utils import update_change_reason

from carts import gateway
from carts.choices import Kind, Outcome, Reason, RecordState, RunKind, RunState
from carts.errors import Refused
from carts.models import Cart, HeldFor, Record, RememberedAnswer, Run
from carts.records import RawRecord
from carts.services import leases, open_units, runs
from carts.services.connections import adapter_for
from carts.services.importing import Guard, Importer
from carts.services.judging import Rules

BATCH = 100
KIND_OF_ANSWER = {
    Reason.UNKNOWN_SKU: Kind.ITEM,
    Reason.AMBIGUOUS_CUSTOMER: Kind.CUSTOMER,
    Reason.NO_EMAIL: Kind.CUSTOMER,
}


def stored_row(record: Record) -> RawRecord:
    """A record's own text as if it had just been read."""
    return RawRecord(record.external_id, record.modified_at, bytes(record.digest), record.payload.encode())


def answer(cart: Cart, reason_code: str, key: str, local_id: int, by: str) -> Run | None:
    """Remember that `key` is our item or customer `local_id`, and release every order held for it."""
    RememberedAnswer.objects.update_or_create(
        cart=cart, kind=KIND_OF_ANSWER[Reason(reason_code)], key=key, defaults={"local_id": local_id, "answered_by": by}
    )
    return release(cart, reason_code, key, by)


def answer_with_stand_in(cart: Cart, key: str, by: str) -> Run | None:
    if cart.stand_in_item_id is None:
        raise Refused("This cart has no stand-in item. Choose one under Auto-sync, Edit, and save; then try again.")
    return answer(cart, Reason.UNKNOWN_SKU, key, cart.stand_in_item_id, by)


def answer_with_new_item(cart: Cart, key: str, by: str) -> Run | None:
    """Create the item as the held line names it, with the shop's own SKU."""
    line = HeldFor.objects.filter(cart=cart, reason_code=Reason.UNKNOWN_SKU, key=key).select_related("record").first()
    if line is None:
        raise Refused("No order waits for this any more. Reload the page.")
    order = adapter_for(cart).parse_order(line.record.payload)
    named = next((row for row in order.lines if row.external_item_id == line.external_item_id), None)
    sku = named.sku if named and named.sku else ""
    if not sku:
        raise Refused("The shop's product has no SKU, so an item cannot be created from it. Map it to an item instead.")
    item_id = gateway.create_item_named(sku, named.description if named else sku)
    return answer(cart, Reason.UNKNOWN_SKU, key, item_id, by)


def accept_currency(cart: Cart, currency: str, by: str) -> Run | None:
    """Import this currency from now on, and release what was held for it."""
    with transaction.atomic():
        # Whoever has the form open is told that the settings changed under it.
        Cart.objects.filter(pk=cart.pk).update(settings_version=F("settings_version") + 1)
        cart = Cart.objects.get(pk=cart.pk)
        cart.currencies = ",".join(sorted(cart.accepted_currencies | {currency.upper()}))
        cart.save(update_fields=["currencies"])
        update_change_reason(cart, f"{currency} accepted by {by}")
    return release(cart, Reason.CURRENCY, currency, by)


def release(cart: Cart, reason_code: str, key: str, by: str = "") -> Run | None:
    """Import every order held for this cause; those that wait for something else too stay held."""
    held = HeldFor.objects.filter(cart=cart, reason_code=reason_code, key=key)
    return import_again(cart, list(held.values_list("record_id", flat=True).distinct()), by)


def release_mended(cart: Cart, guard: Guard) -> Run | None:
    """Import what is held for nothing but causes that are mended by now: answered while a page was being decided,
    left by a release that was killed, or the item was created in the system itself."""
    cart = Cart.objects.get(pk=cart.pk)
    held = HeldFor.objects.filter(cart=cart)
    causes = list(held.order_by().values_list("reason_code", "key").distinct())
    mended = _mended(cart, causes)
    if not mended:
        return None
    still_open = [cause for cause in causes if cause not in mended]
    ids = set(held.filter(_any_of(mended)).values_list("record_id", flat=True))
    if still_open:
        ids -= set(held.filter(_any_of(still_open)).values_list("record_id", flat=True))
    return import_again(cart, list(ids), "", guard)


def _mended(cart: Cart, causes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    answers = RememberedAnswer.objects.filter(cart=cart, key__in={key for _, key in causes}) if causes else ()
    answered = {(answer.kind, answer.key) for answer in answers}
    items = gateway.items_by_sku([key for code, key in causes if code == Reason.UNKNOWN_SKU])

    def is_mended(code: str, key: str) -> bool:
        if code == Reason.CURRENCY:
            return key.upper() in cart.accepted_currencies
        return (KIND_OF_ANSWER.get(Reason(code)), key) in answered or (code == Reason.UNKNOWN_SKU and key in items)

    return [(code, key) for code, key in causes if is_mended(code, key)]


def _any_of(causes: Sequence[tuple[str, str]]) -> Q:
    """One condition for each reason, since there are few of them and there may be many keys."""
    keys: dict[str, list[str]] = {}
    for code, key in causes:
        keys.setdefault(code, []).append(key)
    return reduce(or_, (Q(reason_code=code, key__in=named) for code, named in keys.items()))


def retry(record: Record, by: str) -> Run | None:
    """Read the record from the cart again and decide anew; from what we have, if the cart has it no more."""
    rows = adapter_for(record.cart).fetch_many(record.kind, [record.external_id])
    return _import(record.cart, rows or [stored_row(record)], by)


def ignore(record: Record, by: str) -> None:
    """Out of the way for good, until a person imports it by hand. An imported one cannot be ignored."""
    ignored = Record.objects.filter(pk=record.pk, local_id__isnull=True).update(
        state=RecordState.IGNORED,
        reason_code=Reason.BY_STAFF,
        reason=f"Ignored by {by}.",
        changed_at=timezone.now(),
    )
    if not ignored:
        raise Refused("This order has a document already, so it cannot be ignored. Cancel the document instead.")
    HeldFor.objects.filter(record=record).delete()
    open_units.forget(record)


def import_again(cart: Cart, record_ids: Sequence[int], by: str, guard: Guard | None = None) -> Run | None:
    if not record_ids:
        return None
    records = Record.objects.filter(pk__in=record_ids, local_id__isnull=True).order_by("placed_at")
    return _import(cart, [stored_row(record) for record in records], by, guard)


def _import(cart: Cart, rows: Sequence[RawRecord], by: str, guard: Guard | None = None) -> Run:
    run = runs.create(cart, RunKind.RELEASE, started_by=by, state=RunState.RUNNING, total=len(rows))
    importer = Importer(cart, adapter_for(cart), Rules.of(cart), lambda: run, asked_for=True)
    for start in range(0, len(rows), BATCH):
        importer.import_rows(rows[start : start + BATCH], guard or partial(leases.one_writer_of_orders, cart.pk))
        runs.save_counts(run, importer.counts)
    runs.finish(run)
    return run


def released(run: Run | None) -> int:
    return run.counts.get(Outcome.NEW, 0) if run else 0
