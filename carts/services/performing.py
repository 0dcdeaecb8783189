"""A run that a person began, from the click to its end: queued once however often it is clicked, worked on under a
lease, taken over from a killed worker, and ended with a sentence whatever happens."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from carts.choices import RunKind, RunState
from carts.errors import CartError, RateLimited, StopRequested
from carts.models import Cart, Run, RunItem
from carts.services import runs
from carts.services.wakeups import wake_run

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS, MAX_TRIES = 5, 5


def queue(cart: Cart, kind: RunKind, by: str, request_key: str, *, items: Sequence[RunItem] = (), **fields: Any) -> Run:
    """A queued run with these items, and a worker on its way to it; the same request key gives the same run."""
    try:
        with transaction.atomic():
            run = runs.create(cart, kind, started_by=by, request_key=request_key or None, **fields)
            for item in items:
                item.run = run
            RunItem.objects.bulk_create(items)
    except IntegrityError:
        return Run.objects.get(request_key=request_key)
    wake_run(run.pk)
    return run


def perform(
    run: Run,
    work: Callable[[], object],
    *,
    left: Callable[[], int | str] | None = None,
    advice: Callable[[], str] = str,
    kept: str = "What is done stays done.",
) -> bool:
    """Whether the work came to its end. Where the cart fails, `advice` stands behind its sentence; with `left` (how
    much is still to be done) waiting is tried first. `kept` is told where the program fails."""
    Run.objects.filter(pk=run.pk, started_at=None).update(started_at=timezone.now())
    try:
        work()
    except StopRequested:
        return False
    except CartError as error:
        runs.log(run, f"{error.sentence} {error.detail}".strip(), "error")
        if left is None or not _goes_on_later(run, error, left()):
            runs.finish(run, RunState.FAILED, f"{error.sentence} {advice()}".strip())
        return False
    except Exception:
        log.exception("Run %s failed", run.pk)
        runs.finish(run, RunState.FAILED, f"Something unexpected went wrong; the log has it. {kept}")
        return False
    runs.finish(run)
    return True


def _goes_on_later(run: Run, error: CartError, left: int | str) -> bool:
    """Where waiting helps, the lease is kept until the next try and then left to the tick. Not for ever: MAX_TRIES
    in a row that brought nothing, and the person is told."""
    tries = 1 if left != run.parameters.get("left") else run.parameters.get("tries", 0) + 1
    if error.permanent or tries > MAX_TRIES:
        return False
    named = error.wait_seconds if isinstance(error, RateLimited) else None
    wait = timedelta(seconds=FIRST_WAIT_SECONDS * 2**tries if named is None else named)
    run.parameters = {**run.parameters, "left": left, "tries": tries}
    kept = Run.objects.filter(pk=run.pk, lease_token=run.lease_token).update(
        parameters=run.parameters, lease_until=timezone.now() + wait
    )
    if kept:
        runs.log(run, f"The next try follows in {wait.total_seconds():.0f} seconds.")
    return True
