from django.db import models
from django.db.models import Q

from backoffice.choices import AccountKind, EntryKind
from backoffice.models.append_only import AppendOnly
from backoffice.models.document import Document
from backoffice.models.fields import amount_field, user_field


class Account(models.Model):
    """One of the chart. Those that postings use are choices.AccountCode."""

    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=9, choices=AccountKind)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class JournalEntry(AppendOnly):
    """A balanced set of lines. A document is posted at most once and reversed at most once."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="entries", db_index=False)
    kind = models.CharField(max_length=8, choices=EntryKind)
    at = models.DateTimeField()
    by = user_field()

    class Meta(AppendOnly.Meta):
        verbose_name = "journal entry"
        verbose_name_plural = "journal entries"
        constraints = [models.UniqueConstraint(fields=["document", "kind"], name="one_entry_a_kind")]
        indexes = [models.Index(fields=["kind", "-id"], name="entry_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.document}"


class JournalLine(AppendOnly):
    """Exactly one of `debit` and `credit` is above zero, the other is zero."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lines", db_index=False)
    debit = amount_field(default=0)
    credit = amount_field(default=0)
    currency = models.CharField(max_length=3)
    memo = models.CharField(max_length=250, blank=True)

    class Meta(AppendOnly.Meta):
        verbose_name = "journal line"
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="debit_or_credit"
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="line_account")]

    def __str__(self) -> str:
        return f"{self.account}: {self.debit or -self.credit} {self.currency}"
