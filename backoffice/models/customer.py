from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from backoffice.text import normalise, normalise_email


class Customer(models.Model):
    """`billing` and `shipping` hold a types.Address each, as a JSON object with the same keys."""

    code = models.CharField(max_length=20, unique=True, editable=False)
    name = models.CharField(max_length=250)
    name_key = models.CharField(max_length=300, db_index=True, editable=False)
    company = models.CharField(max_length=250, blank=True)
    phone = models.CharField(max_length=100, blank=True)
    billing = models.JSONField("billing address", default=dict, blank=True)
    shipping = models.JSONField("shipping address", default=dict, blank=True)
    # Set by an import: two of them meeting the same buyer at once make one customer.
    import_key = models.CharField(max_length=400, unique=True, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    history = HistoricalRecords(excluded_fields=["name_key", "import_key", "created_at", "modified_at"])

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def save(self, *args: Any, **options: Any) -> None:
        self.set_keys()
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], "name_key"}
        super().save(*args, **options)

    def set_keys(self) -> None:
        self.name_key = normalise(self.name)


class CustomerEmail(models.Model):
    """Two customers may share an address: which of them an order means is then for a person to say."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="emails", db_index=False)
    email = models.EmailField("e-mail", max_length=320)
    email_key = models.CharField(max_length=400, db_index=True, editable=False)

    class Meta:
        verbose_name = "e-mail address"
        verbose_name_plural = "e-mail addresses"
        constraints = [
            models.UniqueConstraint(fields=["customer", "email_key"], name="one_customer_email"),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **options: Any) -> None:
        self.set_keys()
        super().save(*args, **options)

    def set_keys(self) -> None:
        self.email_key = normalise_email(self.email)
