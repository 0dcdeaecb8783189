"""Tables to which rows are only ever added."""

from typing import Any

from django.db import models

from backoffice.errors import AppendOnlyError

SENTENCE = "What is posted is never edited or deleted. Cancel the document: that posts the reverse."


class AppendOnlyQuerySet(models.QuerySet):
    def update(self, **kwargs: Any) -> int:
        raise AppendOnlyError(SENTENCE)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError(SENTENCE)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        raise AppendOnlyError(SENTENCE)


class AppendOnly(models.Model):
    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None and not self._state.adding:
            raise AppendOnlyError(SENTENCE)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError(SENTENCE)


def quantity_field(**options: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=18, decimal_places=4, **options)


def money_field(**options: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=20, decimal_places=4, **options)
