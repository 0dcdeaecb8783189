"""Every save of an item or a customer, through whichever door, becomes `records_changed`."""

from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete

from backoffice.models import Customer, CustomerEmail, Item
from backoffice.signals import records_changed


def connect() -> None:
    for model in (Item, Customer, CustomerEmail):
        post_save.connect(_saved, sender=model, dispatch_uid=f"told-{model.__name__}")
    for model in (Item, Customer):
        pre_delete.connect(_deleted, sender=model, dispatch_uid=f"told-deleted-{model.__name__}")
    post_delete.connect(_saved, sender=CustomerEmail, dispatch_uid="told-removed-e-mail")


def _saved(sender: type, instance: Any, **_: Any) -> None:
    kind, pk = _named(instance)
    records_changed.send(sender, kind=kind, ids=(pk,), deleted=False)


def _deleted(sender: type, instance: Any, **_: Any) -> None:
    kind, pk = _named(instance)
    records_changed.send(sender, kind=kind, ids=(pk,), deleted=True)


def _named(instance: Any) -> tuple[str, int]:
    if isinstance(instance, CustomerEmail):
        return "customer", instance.customer_id
    return ("item" if isinstance(instance, Item) else "customer"), instance.pk
