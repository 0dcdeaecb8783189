"""Stock: what each item has, and the ledger of movements. Both are written by services and only read here."""

from collections.abc import Sequence

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.admin import show, stock_page
from backoffice.admin.base import ReadOnlyAdmin
from backoffice.models import StockLevel, StockMovement
from backoffice.paging import SEARCHED_ROWS
from backoffice.services import items, stock


@admin.register(StockLevel)
class StockLevelAdmin(ReadOnlyAdmin):
    list_display = ("item_name", "on_hand_now", "committed_now", "pending", "available")
    list_select_related = ("item",)
    list_before_template = "backoffice/stock_links.html"
    search_fields = ("item",)
    search_help_text = "Begins with: SKU, name or barcode"

    def matching_ids(self, text: str) -> Sequence[int]:
        # An item's stock has the item's id.
        return items.search(text, SEARCHED_ROWS)

    def prepare_rows(self, rows: list[StockLevel]) -> None:
        known = stock.availability([row.pk for row in rows])
        for row in rows:
            row.figures = stock_page.figures(known[row.pk])

    @display(description="item")
    def item_name(self, level: StockLevel) -> str:
        return str(level.item)

    @display(description="on hand")
    def on_hand_now(self, level: StockLevel) -> str:
        return level.figures.on_hand

    @display(description="committed")
    def committed_now(self, level: StockLevel) -> str:
        return level.figures.committed

    @display(description="pending")
    def pending(self, level: StockLevel) -> str:
        return level.figures.pending

    @display(description="available")
    def available(self, level: StockLevel) -> str:
        return level.figures.available


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    list_display = ("made", "item_link", "reason", "on_hand", "committed", "document_link", "note", "by")
    list_display_links = ("made",)
    list_filter = (("reason", ChoicesDropdownFilter),)
    list_select_related = ("item", "document", "by")
    list_before_template = "backoffice/stock_links.html"
    search_fields = ("item",)
    search_help_text = "Begins with: SKU, name or barcode of the item"
    searched_field = "item_id"
    fields = ("item", "reason", "on_hand_change", "committed_change", "document", "note", "at", "by")

    def matching_ids(self, text: str) -> Sequence[int]:
        return items.search(text, SEARCHED_ROWS)

    @display(description="when")
    def made(self, movement: StockMovement) -> str | SafeString:
        return show.moment(movement.at)

    @display(description="item")
    def item_link(self, movement: StockMovement) -> str | SafeString:
        return show.link(movement.item)

    @display(description="on hand")
    def on_hand(self, movement: StockMovement) -> str:
        return show.signed(movement.on_hand_change)

    @display(description="committed")
    def committed(self, movement: StockMovement) -> str:
        return show.signed(movement.committed_change)

    @display(description="document")
    def document_link(self, movement: StockMovement) -> str | SafeString:
        return (
            show.link(movement.document, show.together(movement.document.number)) if movement.document else show.NOTHING
        )
