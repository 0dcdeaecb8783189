"""What the lists and pages of the back office share."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from backoffice.paging import BoundedPaginator


class PagedChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Else the page's head would repeat, without its "+", the count that stands below the list.
        self.full_result_count = self.result_count
        self.result_list = list(self.result_list)
        self.model_admin.prepare_rows(self.result_list)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        ordering = super().get_ordering(request, queryset)
        return [_sorted_apart(by) for by in ordering] if self.query else ordering


def _sorted_apart(by: Any) -> Any:
    """The same order, but not an index's: a search finds few rows, which PostgreSQL is to fetch and sort. Given an
    index in the order wanted it walks that one instead, hoping to meet them soon."""
    if not isinstance(by, str) or by.lstrip("-") in ("pk", "id"):
        return by
    value = Coalesce(by.lstrip("-"), by.lstrip("-"))
    return value.desc() if by.startswith("-") else value.asc()


class BackofficeAdmin(ModelAdmin):
    """Newest first, 50 a page, as quick with a million rows as with a thousand."""

    ordering: Sequence[str] = ("-pk",)
    # Only columns with an index are sorted by: each admin names them.
    sortable_by: Sequence[str] = ()
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    # Counting what every choice of a filter would find reads the whole table.
    show_facets = admin.ShowFacets.NEVER
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True
    # The search box shows when this is not empty; `matching_ids` does the searching.
    search_fields: Sequence[str] = ()
    searched_field = "pk"

    def prepare_rows(self, rows: list[Any]) -> None:
        """Load for all rows of a page at once what their columns show."""

    def matching_ids(self, text: str) -> Sequence[int] | None:
        """Ids of what a search finds; None when this list has no search of its own."""
        return None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PagedChangeList

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        text = search_term.strip()
        ids = self.matching_ids(text) if text else None
        if ids is None:
            return queryset, False
        return queryset.filter(**{f"{self.searched_field}__in": ids}), False


class ReadOnlyAdmin(BackofficeAdmin):
    """What services write and people only read."""

    warn_unsaved_form = False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # Written once and never edited, so there is no history to look at.
        return super().changeform_view(request, object_id, form_url, {"show_history": False, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # `change` is refused above for everybody; it still includes looking.
        names = (f"{self.opts.app_label}.{verb}_{self.opts.model_name}" for verb in ("view", "change"))
        return any(request.user.has_perm(name) for name in names)
