"""Approving and cancelling many documents from the list."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from backoffice.choices import DocumentState
from backoffice.models import Document
from backoffice.services import documents
from backoffice.types import Outcome

# One request's worth: it answers within seconds, and a confirmation form stays below Django's 1,000 fields.
DOCUMENTS_AT_ONCE = 500
SENTENCES_SHOWN = 5


@admin.action(description="Approve selected", permissions=["change"])
def approve_selected(model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    _act(request, queryset, documents.approve_many, DocumentState.APPROVED)


@admin.action(description="Cancel selected", permissions=["change"])
def cancel_selected(model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
    """Asks first: of what is APPROVED the reverse is posted, and that is not taken back."""
    if request.POST.get("confirmed") == "yes":
        _act(request, queryset, documents.cancel_many, DocumentState.CANCELLED)
        return None
    ids, has_more = _chosen(queryset)
    states = Counter(Document.objects.filter(pk__in=ids).values_list("state", flat=True))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"Cancel {len(ids):,} {'document' if len(ids) == 1 else 'documents'}?",
        "counts": {state.name.lower(): states[state] for state in DocumentState},
        "ids": ids,
        "to_cancel": len(ids) - states[DocumentState.CANCELLED],
        "has_more": has_more,
        "limit": DOCUMENTS_AT_ONCE,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "action": cancel_selected.__name__,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "backoffice/cancel_selected.html", context)


def _act(
    request: HttpRequest,
    queryset: QuerySet,
    act: Callable[[Sequence[int], Any], list[Outcome]],
    wanted: DocumentState,
) -> None:
    ids, has_more = _chosen(queryset)
    outcomes = act(ids, request.user)
    refused = [outcome for outcome in outcomes if not outcome.is_done and not outcome.was_done_before]
    level = messages.WARNING if refused else messages.SUCCESS
    messages.add_message(request, level, _summary(outcomes, wanted))
    for outcome in refused[:SENTENCES_SHOWN]:
        messages.warning(request, outcome.sentence)
    if has_more:
        messages.info(
            request,
            f"The newest {DOCUMENTS_AT_ONCE:,} of your selection were handled: that many go at once. "
            "Run the action again for the next ones.",
        )


def _chosen(queryset: QuerySet) -> tuple[list[int], bool]:
    ids = list(queryset.order_by("-placed_at", "-id").values_list("pk", flat=True)[: DOCUMENTS_AT_ONCE + 1])
    return ids[:DOCUMENTS_AT_ONCE], len(ids) > DOCUMENTS_AT_ONCE


def _summary(outcomes: Sequence[Outcome], wanted: DocumentState) -> str:
    """ "10 approved, 1 was APPROVED already, 2 could not be approved."""
    done = sum(outcome.is_done for outcome in outcomes)
    before = sum(outcome.was_done_before for outcome in outcomes)
    refused = len(outcomes) - done - before
    parts = [f"{done:,} {wanted.value}"]
    if before:
        parts.append(f"{before:,} {'was' if before == 1 else 'were'} {wanted.label} already")
    if refused:
        parts.append(f"{refused:,} could not be {wanted.value}")
    return ", ".join(parts) + "."
