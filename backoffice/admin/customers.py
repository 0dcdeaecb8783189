"""Customers: edited here with their e-mail addresses, their addresses and their history."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet

from backoffice.admin import document_page, show
from backoffice.admin.base import BackofficeAdmin
from backoffice.admin.forms import CustomerForm, EmailFormSet, address_fields
from backoffice.choices import Series
from backoffice.models import Customer, CustomerEmail
from backoffice.paging import SEARCHED_ROWS
from backoffice.services import customers
from backoffice.services.numbers import reserve


class EmailInline(TabularInline):
    model = CustomerEmail
    formset = type("EmailInlineFormSet", (EmailFormSet, PaginationInlineFormSet), {})
    fields = ("email",)
    extra = 0
    hide_title = True


@admin.register(Customer)
class CustomerAdmin(SimpleHistoryAdmin, BackofficeAdmin):
    form = CustomerForm
    ordering = ("-pk",)
    sortable_by = ("code", "title")
    list_display = ("code", "title", "company", "email", "phone", "city", "made")
    list_display_links = ("code", "title")
    search_fields = ("code",)
    search_help_text = "Begins with: code, name or e-mail"
    readonly_fields = ("code", "created_at", "modified_at")
    inlines = (EmailInline,)
    change_form_outer_after_template = "backoffice/customer_documents.html"
    fieldsets = (
        (None, {"fields": ("code", "name", "company", "phone", "created_at", "modified_at")}),
        ("Billing address", {"fields": address_fields("billing")}),
        ("Shipping address", {"fields": address_fields("shipping")}),
    )

    def matching_ids(self, text: str) -> Sequence[int]:
        return customers.search(text, SEARCHED_ROWS)

    def prepare_rows(self, rows: list[Customer]) -> None:
        found: dict[int, list[str]] = {}
        emails = CustomerEmail.objects.filter(customer_id__in=[row.pk for row in rows]).order_by("pk")
        for customer_id, email in emails.values_list("customer_id", "email"):
            found.setdefault(customer_id, []).append(email)
        for row in rows:
            row.email_texts = found.get(row.pk, [])

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        if not change:
            (obj.code,) = reserve(Series.CUSTOMER, 1)
        super().save_model(request, obj, form, change)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        customer = self.get_object(request, object_id)
        may_see = request.user.has_perm("backoffice.view_document")
        own = {"documents": document_page.latest_of(customer) if customer and may_see else None}
        return super().change_view(request, object_id, form_url, {**own, **(extra_context or {})})

    @display(description="name", ordering="name_key")
    def title(self, customer: Customer) -> str:
        return customer.name

    @display(description="e-mail")
    def email(self, customer: Customer) -> str:
        first, *others = customer.email_texts or [show.NOTHING]
        return f"{first} and {len(others)} more" if others else first

    @display(description="city")
    def city(self, customer: Customer) -> str:
        return customer.billing.get("city") or show.NOTHING

    @display(description="made")
    def made(self, customer: Customer) -> str:
        return show.moment(customer.created_at)
