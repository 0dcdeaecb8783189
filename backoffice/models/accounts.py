from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.choices import AccountKind, EntryKind
from backoffice.models.base import AppendOnly, money_field
from backoffice.models.document import Document


class Account(models.Model):
    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=AccountKind)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class JournalEntry(AppendOnly):
    """One posting of a document, or its reversal: each at most once, by the database."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=EntryKind)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "journal entries"
        constraints = [models.UniqueConstraint(fields=["document", "kind"], name="one_entry_a_document_and_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.document}"


class JournalLine(AppendOnly):
    """A debit or a credit, never both, never negative."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lines")
    debit = money_field(default=0)
    credit = money_field(default=0)
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gte=0) & Q(credit__gte=0) & (Q(debit=0) | Q(credit=0)), name="debit_or_credit"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.debit:f} / {self.credit:f} {self.currency}"
