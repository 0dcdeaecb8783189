"""To-dos of documents."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Count
from django.utils import timezone

from backoffice.errors import DocumentError
from backoffice.models import DocumentTodo
from backoffice.types import NewTodo


def add_todos(new: Mapping[int, Sequence[NewTodo]]) -> None:
    """By document id. A key that the document has already is left as it is."""
    now = timezone.now()
    DocumentTodo.objects.bulk_create(
        (
            DocumentTodo(
                document_id=document_id, key=todo.key, text=todo.text, details=dict(todo.details), created_at=now
            )
            for document_id, todos in new.items()
            for todo in todos
        ),
        ignore_conflicts=True,
    )


def count_open(document_ids: Collection[int]) -> dict[int, int]:
    rows = DocumentTodo.objects.filter(document_id__in=document_ids, done_at=None)
    return dict(rows.values_list("document_id").annotate(number=Count("id")).order_by())


def finish(todo_id: int, by: Any) -> DocumentTodo:
    done = DocumentTodo.objects.filter(pk=todo_id, done_at=None).update(done_at=timezone.now(), done_by=by)
    if not done:
        raise DocumentError("This to-do was marked as done already. Reload the page to see by whom.")
    return DocumentTodo.objects.get(pk=todo_id)
