"""Accounts: the chart and the journal. Postings come from documents and are only read here."""

from typing import Any

from django.contrib import admin
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.admin import document_page, show
from backoffice.admin.base import ReadOnlyAdmin
from backoffice.admin.tables import Column, Table
from backoffice.models import Account, JournalEntry
from backoffice.text import money, plain_number

LINES_SHOWN = 50
LINE_COLUMNS = (
    Column("When"),
    Column("Entry"),
    Column("Document", is_wide=True),
    Column("Debit", is_number=True),
    Column("Credit", is_number=True),
    Column("Currency"),
)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    ordering = ("code",)
    list_display = ("code", "name", "kind")
    list_display_links = ("code", "name")
    list_before_template = "backoffice/account_links.html"
    fields = ("code", "name", "kind")
    change_form_outer_after_template = "backoffice/account_lines.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        own = {"lines": latest_lines(account) if account else None, "shown": LINES_SHOWN}
        return super().change_view(request, object_id, form_url, {**own, **(extra_context or {})})


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("made", "kind", "document_link", "amount", "by")
    list_display_links = ("made",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("document", "by")
    list_before_template = "backoffice/account_links.html"
    fields = ("kind", "document_link", "made", "by")
    readonly_fields = ("document_link", "made")
    change_form_outer_after_template = "backoffice/entry_lines.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        entry = self.get_object(request, object_id)
        if entry:
            prefetch_related_objects([entry], "lines__account")
        own = {"lines": document_page.posting_table(entry) if entry else None}
        return super().change_view(request, object_id, form_url, {**own, **(extra_context or {})})

    @display(description="when")
    def made(self, entry: JournalEntry) -> str | SafeString:
        return show.moment(entry.at)

    @display(description="document")
    def document_link(self, entry: JournalEntry) -> str | SafeString:
        return show.link(entry.document)

    @display(description="document's total")
    def amount(self, entry: JournalEntry) -> str:
        return money(entry.document.total, entry.document.currency)


def latest_lines(account: Account) -> Table:
    """The latest postings on one account, newest first."""
    latest = account.lines.select_related("entry__document").order_by("-id")[:LINES_SHOWN]
    rows = [
        (
            show.moment(line.entry.at),
            show.link(line.entry, line.entry.get_kind_display()),
            show.link(line.entry.document),
            plain_number(line.debit, 2) if line.debit else "",
            plain_number(line.credit, 2) if line.credit else "",
            line.currency,
        )
        for line in latest
    ]
    return Table(LINE_COLUMNS, rows)
