from django.conf import settings
from django.db import models
from django.db.models import Q

from backoffice.choices import DocumentState, DocumentType, LineKind
from backoffice.models.base import money_field, quantity_field
from backoffice.models.customer import Customer
from backoffice.models.item import Item


class Document(models.Model):
    """Cash Sale, Sales Order or Sales Invoice. PENDING touches nothing; only services.documents changes its state.

    `source` and `source_ref` say where it came from; the database lets one document stand for one source reference.
    """

    type = models.CharField(max_length=15, choices=DocumentType)
    number = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=DocumentState, default=DocumentState.PENDING)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="documents")
    currency = models.CharField(max_length=3)
    total = money_field()
    net_total = money_field()
    tax_total = money_field()
    shipping_total = money_field()
    discount_total = money_field()
    exchange = models.JSONField("Exchange data", default=dict, blank=True)
    placed_at = models.DateTimeField()
    source = models.CharField(max_length=40, blank=True)
    source_ref = models.CharField("Source reference", max_length=64, blank=True)
    source_number = models.CharField("Source number", max_length=64, blank=True)
    billing = models.JSONField("Billing address", default=dict, blank=True)
    shipping = models.JSONField("Shipping address", default=dict, blank=True)
    payment_method = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["type", "number"], name="one_document_a_number"),
            models.UniqueConstraint(
                fields=["source", "source_ref"], condition=~Q(source=""), name="one_document_a_source_reference"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="document_state"),
            models.Index(fields=["type", "-id"], name="document_type"),
            models.Index(fields=["source_number"], name="document_source_number"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def tone(self) -> str:
        return DocumentState(self.state).tone


class DocumentLine(models.Model):
    """The shop's own figures for the whole line: `net` and `tax` after `discount`."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LineKind)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, blank=True, related_name="document_lines")
    sku = models.CharField("SKU", max_length=100, blank=True)
    description = models.TextField(blank=True)
    quantity = quantity_field()
    unit_price = money_field()
    net = money_field()
    tax = money_field()
    discount = money_field()

    class Meta:
        ordering = ["document", "position"]

    def __str__(self) -> str:
        return f"{self.quantity:f} x {self.sku or self.description}"


class DocumentTodo(models.Model):
    """Something that happened to the order after its import and that a person has to settle here."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="todos")
    key = models.CharField(max_length=80)
    text = models.TextField()
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["document", "key"], name="one_todo_a_key")]

    def __str__(self) -> str:
        return self.text
