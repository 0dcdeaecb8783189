"""Documents: the list with its bulk actions, and the page on which one is read, approved or cancelled."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.admin import bulk, document_page, document_views, search, show
from backoffice.admin.base import BackofficeAdmin
from backoffice.admin.filters import DaysFilter
from backoffice.choices import DocumentState
from backoffice.models import Document
from backoffice.services import todos
from backoffice.text import money


@admin.register(Document)
class DocumentAdmin(BackofficeAdmin):
    ordering = ("-placed_at", "-id")
    sortable_by = ("code", "placed")
    list_display = ("code", "kind", "status", "buyer", "source_number", "placed", "amount", "open_todos")
    list_filter = (("state", ChoicesDropdownFilter), ("type", ChoicesDropdownFilter), ("placed_at", DaysFilter))
    list_select_related = ("customer",)
    search_fields = ("number",)
    search_help_text = "Begins with: number, order number, customer's name or e-mail"
    actions = (bulk.approve_selected, bulk.cancel_selected)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        return False

    def matching_ids(self, text: str) -> Sequence[int]:
        return search.document_ids(text)

    def prepare_rows(self, rows: list[Document]) -> None:
        counts = todos.count_open([row.pk for row in rows])
        for row in rows:
            row.open_todo_count = counts.get(row.pk, 0)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:document_id>/{name}/",
                self.admin_site.admin_view(view),
                {"model_admin": self},
                name=f"backoffice_document_{name}",
            )
            for name, view in (("approve", document_views.approve), ("cancel", document_views.cancel))
        ]
        done = path(
            "<int:document_id>/todo/<int:todo_id>/done/",
            self.admin_site.admin_view(document_views.todo_done),
            {"model_admin": self},
            name="backoffice_document_todo_done",
        )
        return [*own, done, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Nothing on a document is edited, so this is a page to read and no form."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        document = self.get_object(request, object_id) if object_id else None
        if object_id and document is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if document is None or not self.has_view_permission(request, document):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **document_page.context(document),
            "opts": self.opts,
            "original": document,
            "title": str(document),
            "can_change": self.has_change_permission(request, document),
        }
        return TemplateResponse(request, "backoffice/document.html", context)

    @display(description="number", ordering="number")
    def code(self, document: Document) -> SafeString:
        return show.together(document.number)

    @display(description="type")
    def kind(self, document: Document) -> str:
        return document.get_type_display()

    @display(description="state", label={state.label: state.tone for state in DocumentState})
    def status(self, document: Document) -> str:
        return document.get_state_display()

    @display(description="customer")
    def buyer(self, document: Document) -> str:
        return document.customer.name

    @display(description="placed", ordering="placed_at")
    def placed(self, document: Document) -> str | SafeString:
        return show.moment(document.placed_at)

    @display(description="total")
    def amount(self, document: Document) -> SafeString:
        return show.together(money(document.total, document.currency))

    @display(description="to-dos", label={"open": "warning"})
    def open_todos(self, document: Document) -> tuple[str, str] | None:
        return ("open", f"{document.open_todo_count} open") if document.open_todo_count else None
