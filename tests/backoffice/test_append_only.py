"""What is posted cannot be edited or deleted, by any way the ORM has."""

from decimal import Decimal

import pytest
from django.db.models import ProtectedError

from backoffice.errors import AppendOnlyError
from backoffice.models import Document, DocumentLine, Item, JournalEntry, JournalLine, StockMovement
from backoffice.services import documents
from tests.backoffice.conftest import a_document, a_line, create

WRITTEN_ONCE = [DocumentLine, JournalEntry, JournalLine, StockMovement]


@pytest.fixture
def approved(customer_id, item) -> Document:
    (made,) = create(a_document(customer_id, a_line(item)))
    return documents.approve(made, None)


def everything() -> list[list[dict]]:
    return [list(model.objects.order_by("pk").values()) for model in (*WRITTEN_ONCE, Document, Item)]


def edit(row):
    row.save()


def edit_one_field(row):
    row.save(update_fields=["id"])


def delete(row):
    row.delete()


def edit_all(row):
    type(row).objects.all().update(pk=0)


def edit_in_bulk(row):
    type(row).objects.bulk_update([row], ["id"])


def replace_in_bulk(row):
    type(row).objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=["id"])


def delete_all(row):
    type(row).objects.all().delete()


def delete_through_the_base_manager(row):
    type(row)._base_manager.filter(pk=row.pk).delete()


@pytest.mark.parametrize("model", WRITTEN_ONCE)
@pytest.mark.parametrize(
    "change",
    [
        edit,
        edit_one_field,
        delete,
        edit_all,
        edit_in_bulk,
        replace_in_bulk,
        delete_all,
        delete_through_the_base_manager,
    ],
)
def test_what_is_written_stays(approved, model, change):
    before = everything()
    with pytest.raises(AppendOnlyError, match=r"cannot be edited or deleted .+ Nothing was changed\."):
        change(model.objects.first())
    assert everything() == before


def test_what_it_is_about_cannot_be_deleted_from_under_it(approved, item):
    before = everything()
    for row in (approved, item, approved.customer):
        with pytest.raises(ProtectedError):
            row.delete()
    with pytest.raises(AppendOnlyError):
        approved.lines.update(net=Decimal(0))
    assert everything() == before
