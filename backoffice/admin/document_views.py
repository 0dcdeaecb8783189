"""The buttons of a document's page. Each is a POST; a GET is answered with 405 and changes nothing."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from backoffice.admin import document_page
from backoffice.choices import DocumentState
from backoffice.errors import BackofficeError
from backoffice.models import Document, DocumentTodo
from backoffice.services import documents, todos


@require_POST
def approve(request: HttpRequest, document_id: int, model_admin: admin.ModelAdmin) -> HttpResponse:
    _demand_change(request, model_admin)
    try:
        document = documents.approve(document_id, by=request.user)
    except BackofficeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{document} was approved: {document_page.effect(document)}.")
    return _back(document_id)


@require_POST
def cancel(request: HttpRequest, document_id: int, model_admin: admin.ModelAdmin) -> HttpResponse:
    """What is APPROVED is cancelled only after a page that says what that does."""
    _demand_change(request, model_admin)
    document = get_object_or_404(Document.objects.select_related("customer"), pk=document_id)
    if document.state == DocumentState.APPROVED and request.POST.get("confirmed") != "yes":
        return _ask(request, document, model_admin)
    try:
        document = documents.cancel(document_id, by=request.user)
    except BackofficeError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{document} was cancelled.")
    return _back(document_id)


@require_POST
def todo_done(request: HttpRequest, document_id: int, todo_id: int, model_admin: admin.ModelAdmin) -> HttpResponse:
    _demand_change(request, model_admin)
    todo = get_object_or_404(DocumentTodo, pk=todo_id, document_id=document_id)
    if todos.finish(todo.pk, by=request.user):
        messages.success(request, f"Done: {todo.text}")
    else:
        messages.info(request, "This to-do was done already. Nothing was changed; below stands by whom.")
    return _back(document_id)


def _ask(request: HttpRequest, document: Document, model_admin: admin.ModelAdmin) -> HttpResponse:
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"Cancel {document}?",
        "document": document,
        "entry": document_page.entry_tables(document),
        "movements": document_page.movement_table(document),
    }
    return TemplateResponse(request, "backoffice/cancel_document.html", context)


def _demand_change(request: HttpRequest, model_admin: admin.ModelAdmin) -> None:
    if not model_admin.has_change_permission(request):
        raise PermissionDenied


def _back(document_id: int) -> HttpResponse:
    return redirect("admin:backoffice_document_change", document_id)
