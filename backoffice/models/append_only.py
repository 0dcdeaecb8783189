"""Rows that are written once: what is posted is corrected by a reversal, never by editing or deleting."""

from typing import Any, NoReturn

from django.db import models

from backoffice.errors import AppendOnlyError


def refuse(model: type[models.Model]) -> NoReturn:
    raise AppendOnlyError(
        f"A {model._meta.verbose_name} cannot be edited or deleted once it is written. Nothing was changed. "
        "Cancel the document, or make an adjustment, to correct it."
    )


class AppendOnlyQuerySet(models.QuerySet):
    def update(self, **values: Any) -> NoReturn:
        refuse(self.model)

    def delete(self) -> NoReturn:
        refuse(self.model)

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        refuse(self.model)

    def bulk_create(self, *args: Any, **options: Any) -> Any:
        if options.get("update_conflicts"):
            refuse(self.model)
        return super().bulk_create(*args, **options)


class AppendOnly(models.Model):
    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True
        # The guards hold for what goes through related objects and `save` as well.
        base_manager_name = "objects"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            refuse(type(self))
        super().save(*args, **(options | {"force_insert": True}))

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        refuse(type(self))
