from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from backoffice.text import normalise_email


class Customer(models.Model):
    """Who buys. Addresses are objects with the fields of types.Address."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200, db_index=True)
    company = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    billing = models.JSONField("Billing address", default=dict, blank=True)
    shipping = models.JSONField("Shipping address", default=dict, blank=True)
    # One customer a key, whoever imports at the same moment.
    import_key = models.CharField(max_length=254, unique=True, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class CustomerEmail(models.Model):
    """An address may belong to several customers: then a person has to say whose order it is."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="emails")
    email = models.EmailField()
    email_key = models.CharField(max_length=254, db_index=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "email_key"], name="one_email_a_customer")]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = normalise_email(self.email)
        super().save(*args, **kwargs)
