"""Import selected: a run that a person began out of a list tab, done record by record, safe to begin twice.

The run's items are its memory: what is not PENDING there is done, so a killed worker's successor goes on behind it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from carts.choices import Kind, Outcome, RunKind
from carts.errors import Refused
from carts.models import Cart, Run, RunItem
from carts.records import Listing
from carts.services import control, leases, performing, records_import, runs
from carts.services.budgets import Priority
from carts.services.connections import adapter_for
from carts.services.importing import Importer
from carts.services.judging import Rules

BATCH = 25  # small, so that progress shows and Stop is soon
LISTING_PAGE = 100
GONE_TEXT = "The cart does not have it any more."


def begin(cart: Cart, kind: str, external_ids: Sequence[str], by: str, request_key: str = "") -> Run:
    """A queued run over these records; the same request key gives the same run. Refused when nothing is selected."""
    ids = list(dict.fromkeys(external_ids))
    if not ids:
        raise Refused("Nothing was selected, so nothing was imported. Tick some rows first.")
    return _begin(cart, kind, by, request_key, ids=ids)


def begin_matching(cart: Cart, kind: str, listing: Listing, by: str, request_key: str = "") -> Run:
    """A queued run over all that match the filter at the time the worker reads the cart."""
    return _begin(cart, kind, by, request_key, ids=[], matching=_as_json(listing))


def _begin(cart: Cart, kind: str, by: str, request_key: str, *, ids: list[str], **parameters: Any) -> Run:
    if not control.is_tested(cart):
        raise Refused("The connection was not tested since it changed. Click Test Connection, then import again.")
    items = [RunItem(external_id=external_id) for external_id in ids]
    total = len(ids) if ids else None
    return performing.queue(
        cart, RunKind.IMPORT, by, request_key, items=items, record_kind=kind, parameters=parameters, total=total
    )


def perform(run: Run, token: str) -> None:
    """Under a lease on the run."""

    def work() -> None:
        if "matching" in run.parameters and not run.parameters.get("listed"):
            _list_matching(run, token)
        _work(run, token)

    def left() -> int:
        return run.items.filter(outcome=Outcome.PENDING).count()

    performing.perform(run, work, left=left, advice=lambda: f"{left()} records were not read; import them again.")


def _work(run: Run, token: str) -> None:
    cart, adapter = run.cart, adapter_for(run.cart, Priority.RUN)
    importer = Importer(cart, adapter, Rules.of(cart), lambda: run, picked_by_hand=True)
    while True:
        pending = run.items.filter(outcome=Outcome.PENDING).order_by("id")
        ids = list(pending.values_list("external_id", flat=True)[:BATCH])
        if not ids:
            return
        rows = adapter.fetch_many(run.record_kind, ids)
        if run.record_kind == Kind.ORDER:
            done = importer.import_rows(rows, partial(_guard_orders, run, token)) if rows else []
            # The importer tells the news; what was as it was has still to be told to this run.
            _tell(
                run,
                {d.row.external_id: _outcome_of(d) for d in done if d.outcome == Outcome.UNCHANGED or not d.is_news},
            )
        else:
            records_import.import_rows(cart, run, adapter, rows, lambda: leases.hold_run(run.pk, token))
        gone = set(ids) - {row.external_id for row in rows}
        with transaction.atomic():
            leases.hold_run(run.pk, token)
            run.items.filter(external_id__in=gone, outcome=Outcome.PENDING).update(
                outcome=Outcome.FAILED, message=GONE_TEXT
            )
        runs.save_counts(run, runs.counts_of_items(run))


def _guard_orders(run: Run, token: str) -> None:
    leases.hold_run(run.pk, token)
    leases.one_writer_of_orders(run.cart_id)


def _outcome_of(decision: Any) -> RunItem:
    outcome = Outcome.ALREADY if decision.local_id else decision.outcome
    return RunItem(
        outcome=outcome,
        label=decision.label,
        message=decision.reason,
        reason_code=decision.reason_code,
        local_id=decision.local_id,
    )


def _tell(run: Run, told: dict[str, RunItem]) -> None:
    items = list(run.items.filter(external_id__in=told, outcome=Outcome.PENDING))
    for item in items:
        news = told[item.external_id]
        item.outcome, item.message, item.reason_code = news.outcome, news.message, news.reason_code
        item.local_id = news.local_id
        item.label = item.label or news.label[:200]
    RunItem.objects.bulk_update(items, ["outcome", "message", "reason_code", "local_id", "label"])


def _list_matching(run: Run, token: str) -> None:
    """Turn the filter into items, page by page; a page read twice adds nothing."""
    adapter, listing = adapter_for(run.cart, Priority.RUN), _from_json(run.parameters["matching"])
    while True:
        page = adapter.listing(run.record_kind, listing)
        with transaction.atomic():
            leases.hold_run(run.pk, token)
            RunItem.objects.bulk_create(
                (RunItem(run=run, external_id=row.external_id) for row in page.rows), ignore_conflicts=True
            )
        if page.is_last:
            break
        listing = replace(listing, position=page.next_position)
    run.parameters = {**run.parameters, "listed": True}
    run.total = run.items.count()
    Run.objects.filter(pk=run.pk).update(parameters=run.parameters, total=run.total)


def _as_json(listing: Listing) -> dict[str, str]:
    times = {"placed_from": listing.placed_from, "placed_before": listing.placed_before}
    texts = {"status": listing.status, "search": listing.search}
    return {name: at.isoformat() for name, at in times.items() if at} | {k: v for k, v in texts.items() if v}


def _from_json(data: dict[str, str]) -> Listing:
    def time(name: str) -> datetime | None:
        return datetime.fromisoformat(data[name]) if name in data else None

    return Listing(
        per_page=LISTING_PAGE,
        placed_from=time("placed_from"),
        placed_before=time("placed_before"),
        status=data.get("status", ""),
        search=data.get("search", ""),
    )
