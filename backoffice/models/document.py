from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from backoffice.choices import DocumentState, DocumentType, LineKind
from backoffice.models.append_only import AppendOnly
from backoffice.models.customer import Customer
from backoffice.models.fields import amount_field, quantity_field, user_field
from backoffice.models.item import Item


class Document(models.Model):
    """A sale as it was made; amounts are in `currency` and are the shop's own. Only its state changes.

    `source` says where it came from ("cart:3"), `source_ref` what it is called there (the order's id) and
    `source_number` the number people there know it by.
    """

    type = models.CharField(max_length=13, choices=DocumentType)
    number = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=9, choices=DocumentState, default=DocumentState.PENDING)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="documents", db_index=False)
    currency = models.CharField(max_length=3)
    total = amount_field()
    net_total = amount_field()
    tax_total = amount_field()
    shipping_total = amount_field()
    discount_total = amount_field()
    exchange = models.JSONField("exchange data", default=dict, encoder=DjangoJSONEncoder)
    placed_at = models.DateTimeField("placed")
    created_at = models.DateTimeField("created")
    source = models.CharField(max_length=50, blank=True)
    source_ref = models.CharField(max_length=64, blank=True)
    source_number = models.CharField("order number", max_length=64, blank=True, db_index=True)
    billing = models.JSONField("billing address", default=dict)
    shipping = models.JSONField("shipping address", default=dict)
    payment_method = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    approved_at = models.DateTimeField("approved", null=True, blank=True)
    approved_by = user_field()
    cancelled_at = models.DateTimeField("cancelled", null=True, blank=True)
    cancelled_by = user_field()

    class Meta:
        constraints = [
            # Exactly once: what came from a source under one reference is one document, whoever tries again.
            models.UniqueConstraint(
                fields=["source", "source_ref"], condition=~Q(source=""), name="one_document_a_source_ref"
            ),
        ]
        indexes = [
            # Each list newest first; a filter on two of them reads one and sifts.
            models.Index(fields=["-placed_at", "-id"], name="document_newest"),
            models.Index(fields=["state", "-placed_at", "-id"], name="document_state"),
            models.Index(fields=["type", "-placed_at", "-id"], name="document_type"),
            models.Index(fields=["source", "-placed_at", "-id"], name="document_source"),
            models.Index(fields=["customer", "-placed_at", "-id"], name="document_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.number}"

    @property
    def tone(self) -> str:
        return DocumentState(self.state).tone


class DocumentLine(AppendOnly):
    """`net`, `tax` and `discount` are for the whole line; `net` is after discount."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="lines", db_index=False)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=LineKind)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, blank=True, related_name="lines")
    sku = models.CharField("SKU", max_length=200, blank=True)
    description = models.TextField(blank=True)
    quantity = quantity_field()
    unit_price = amount_field()
    net = amount_field()
    tax = amount_field()
    discount = amount_field()

    class Meta(AppendOnly.Meta):
        verbose_name = "document line"
        constraints = [
            models.UniqueConstraint(fields=["document", "position"], name="one_line_a_position"),
        ]

    def __str__(self) -> str:
        return f"Line {self.position}: {self.description}"


class DocumentTodo(models.Model):
    """Something that happened in the shop after the import, for a person to deal with. `details` is JSON."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="todos", db_index=False)
    key = models.CharField(max_length=100)
    text = models.TextField()
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = user_field()

    class Meta:
        verbose_name = "to-do"
        constraints = [models.UniqueConstraint(fields=["document", "key"], name="one_todo_a_key")]
        indexes = [
            models.Index(fields=["document"], condition=Q(done_at__isnull=True), name="todo_open"),
        ]

    def __str__(self) -> str:
        return self.text
