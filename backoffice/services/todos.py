"""To-dos of documents: what happened in the shop after the import."""

from collections.abc import Collection, Mapping, Sequence

from django.contrib.auth.models import User
from django.db.models import Count
from django.utils import timezone

from backoffice.models import DocumentTodo
from backoffice.types import NewTodo


def add_todos(new: Mapping[int, Sequence[NewTodo]]) -> None:
    """To-dos by document id, in one statement. One that is there already (same key) stays as it is, done or not."""
    now = timezone.now()
    DocumentTodo.objects.bulk_create(
        [
            DocumentTodo(
                document_id=document_id, key=todo.key, text=todo.text, details=dict(todo.details), created_at=now
            )
            for document_id, todos in new.items()
            for todo in todos
        ],
        ignore_conflicts=True,
    )


def finish(todo_id: int, by: User | None) -> bool:
    """Mark it done. False when it was done already (by whom and when stays as it is) or is not there."""
    claimed = DocumentTodo.objects.filter(pk=todo_id, done_at__isnull=True).update(done_at=timezone.now(), done_by=by)
    return bool(claimed)


def count_open(document_ids: Collection[int]) -> dict[int, int]:
    """How many are not done, by document id; documents without any are left out."""
    rows = DocumentTodo.objects.filter(document_id__in=document_ids, done_at__isnull=True)
    return dict(rows.values_list("document_id").annotate(Count("pk")))
