from django.db import models
from django.db.models import Q

from carts.choices import Kind
from carts.models.cart import Cart


class Webhooks(models.Model):
    """What one cart's platform tells us of its own accord: where to, when it last did, and whether it still would."""

    cart = models.OneToOneField(Cart, on_delete=models.CASCADE, primary_key=True, related_name="webhooks")
    # The unguessable part of the address the cart sends to. Whoever knows it still has to sign.
    key = models.CharField(max_length=64, unique=True)
    told = models.PositiveBigIntegerField(default=0)
    told_at = models.DateTimeField(null=True, blank=True)
    refused = models.PositiveBigIntegerField(default=0)
    refused_at = models.DateTimeField(null=True, blank=True)
    # The subscriptions in the cart: when they were last seen to be there, and when some had to be made anew.
    next_check_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    mended_at = models.DateTimeField(null=True, blank=True)
    mended = models.TextField(blank=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "webhooks"

    def __str__(self) -> str:
        return f"{self.cart}: webhooks"


class Delivery(models.Model):
    """One webhook that came: this record wants to be read again. Kept for a while when it was, since shops send a
    delivery again whose answer they missed."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="+")
    delivery_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind)
    external_id = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    # Not before this, after a try that the cart did not answer.
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            # A product's delivery names each of its variations.
            models.UniqueConstraint(
                fields=["cart", "delivery_id", "kind", "external_id"], name="one_delivery_a_cart_and_id"
            )
        ]
        indexes = [
            models.Index(fields=["cart", "due_at"], name="delivery_waiting", condition=Q(done_at=None)),
            models.Index(fields=["cart", "received_at"], name="delivery_received"),
        ]

    def __str__(self) -> str:
        return f"{self.cart}: {self.get_kind_display()} {self.external_id}"
