"""Filters that the back office's lists share; each has its value in the URL."""

from datetime import datetime, time, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str


class DaysFilter(RangeDateFilter):
    """From one day to another, both whole, in the panel's time zone. A day that cannot be read is left out."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first, last = self._midnight("from", 0), self._midnight("to", 1)
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": last})
        return queryset

    def _midnight(self, end: str, days_later: int) -> datetime | None:
        day = parse_date_str(self.used_parameters.get(f"{self.field_path}_{end}") or "")
        return make_aware(datetime.combine(day + timedelta(days=days_later), time())) if day else None
