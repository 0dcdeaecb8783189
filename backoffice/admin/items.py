"""Items: edited here with their history; their stock is adjusted in a form of its own."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import DecimalField, TextField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from backoffice.admin import stock_page
from backoffice.admin.base import BackofficeAdmin
from backoffice.admin.forms import AdjustmentForm, PlainDecimalWidget
from backoffice.errors import BackofficeError
from backoffice.models import Item
from backoffice.paging import SEARCHED_ROWS
from backoffice.services import items, stock
from backoffice.text import plain_number


@admin.register(Item)
class ItemAdmin(SimpleHistoryAdmin, BackofficeAdmin):
    ordering = ("-pk",)
    sortable_by = ("code", "title")
    list_display = ("code", "title", "selling_price", "on_hand", "committed", "pending", "available", "is_active")
    list_display_links = ("code", "title")
    list_filter = (("is_active", BooleanRadioFilter), ("is_stock_keeping", BooleanRadioFilter))
    search_fields = ("sku",)
    search_help_text = "Begins with: SKU, name or barcode"
    autocomplete_fields = ("parent",)
    readonly_fields = ("created_at", "modified_at")
    change_form_outer_before_template = "backoffice/item_stock.html"
    formfield_overrides = {
        DecimalField: {"widget": PlainDecimalWidget},
        TextField: {"widget": UnfoldAdminExpandableTextareaWidget},
    }
    fieldsets = (
        (None, {"fields": ("sku", "name", "description", "is_active", "is_stock_keeping", "parent")}),
        ("Price and tax", {"fields": ("price", "sale_price", "tax_rate", "tax_class")}),
        ("More", {"fields": ("barcode", "weight", "created_at", "modified_at")}),
    )

    def matching_ids(self, text: str) -> Sequence[int]:
        return items.search(text, SEARCHED_ROWS)

    def prepare_rows(self, rows: list[Item]) -> None:
        known = stock.availability([row.pk for row in rows])
        for row in rows:
            row.figures = stock_page.figures(known[row.pk])

    def get_urls(self) -> list[URLPattern]:
        adjust = path(
            "<int:item_id>/adjust/", self.admin_site.admin_view(self.adjust_view), name="backoffice_item_adjust"
        )
        return [adjust, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            # Somebody saved the same SKU since the form was checked: checked again, it names their item.
            return super().changeform_view(request, object_id, form_url, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        item = self.get_object(request, object_id)
        shown = stock_page.context(item) if item else {}
        may_adjust = bool(item) and item.is_stock_keeping and self.has_change_permission(request, item)
        own = {**shown, "adjustment": AdjustmentForm() if may_adjust else None}
        return super().change_view(request, object_id, form_url, {**own, **(extra_context or {})})

    def adjust_view(self, request: HttpRequest, item_id: int) -> HttpResponse:
        """The form on a page of its own, to which an invalid one comes back as it was typed."""
        item = get_object_or_404(Item, pk=item_id)
        if not self.has_change_permission(request, item):
            raise PermissionDenied
        form = AdjustmentForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            quantity, note = form.cleaned_data["quantity"], form.cleaned_data["note"]
            try:
                stock.adjust(item, quantity, by=request.user, note=note)
            except BackofficeError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"The stock of {item} was adjusted by {plain_number(quantity)}.")
                return redirect("admin:backoffice_item_change", item.pk)
        context = {
            **self.admin_site.each_context(request),
            **stock_page.context(item),
            "opts": self.opts,
            "original": item,
            "title": f"Adjust the stock of {item}",
            "adjustment": form,
        }
        return TemplateResponse(request, "backoffice/adjust.html", context)

    @display(description="SKU", ordering="sku_key")
    def code(self, item: Item) -> str:
        return item.sku

    @display(description="name", ordering="name_key")
    def title(self, item: Item) -> str:
        return item.name

    @display(description="price")
    def selling_price(self, item: Item) -> str:
        return plain_number(item.price, 2)

    @display(description="on hand")
    def on_hand(self, item: Item) -> str:
        return item.figures.on_hand

    @display(description="committed")
    def committed(self, item: Item) -> str:
        return item.figures.committed

    @display(description="pending")
    def pending(self, item: Item) -> str:
        return item.figures.pending

    @display(description="available")
    def available(self, item: Item) -> str:
        return item.figures.available
