"""Pages of long lists, counted only as far as anybody reads."""

from django.core.paginator import Paginator
from django.utils.functional import cached_property

# Twenty pages of fifty. Counting a million rows takes a second; who looks further back filters or searches.
COUNTED_ROWS = 1_000
# What a search looks up at most: one more, so that its list says "1,000+".
SEARCHED_ROWS = COUNTED_ROWS + 1


class BoundedPaginator(Paginator):
    """Counts at most COUNTED_ROWS + 1 rows; what lies beyond is reached by filters and search, not by turning pages."""

    template_name = "backoffice/pagination.html"

    @cached_property
    def _counted(self) -> int:
        return self.object_list[: COUNTED_ROWS + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNTED_ROWS)

    @property
    def has_more(self) -> bool:
        return self._counted > COUNTED_ROWS

    @property
    def count_text(self) -> str:
        """ "1,000+" when there are more."""
        return f"{self.count:,}{'+' if self.has_more else ''}"
