from django.db import models

from carts.choices import Kind
from carts.models.cart import Cart


class Feed(models.Model):
    """One kind of record polled from one cart: cursor, lease, interval, last error.

    A worker owns a feed while `lease_token` is its own. Every write of a poll stands behind a conditional UPDATE
    on that token, so a worker that lost its lease (Stop, or a take-over after `lease_until`) writes nothing more.
    """

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="feeds")
    kind = models.CharField(max_length=10, choices=Kind)
    # The newest modified time stored, as the shop told it; never our own clock.
    high_water = models.DateTimeField(null=True, blank=True)
    next_poll_at = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # The poll's heartbeat: when it last came to its end, whatever it found.
    polled_at = models.DateTimeField(null=True, blank=True)
    # When a poll last looked back far enough for orders that were committed or re-dated long after their time.
    looked_back_at = models.DateTimeField(null=True, blank=True)
    # Items and customers: when all of them were last read through, and where an unfinished sweep began and goes on.
    swept_at = models.DateTimeField(null=True, blank=True)
    sweep_started_at = models.DateTimeField(null=True, blank=True)
    sweep_position = models.CharField(max_length=500, blank=True)
    failures = models.PositiveIntegerField(default=0)
    needs_person = models.BooleanField(default=False)
    error_kind = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)
    error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cart", "kind"], name="one_feed_a_cart_and_kind")]

    def __str__(self) -> str:
        return f"{self.cart}: {self.get_kind_display()}"

    @property
    def trouble(self) -> str:
        """What does not happen while it needs a person, for the page of Problems."""
        return f"{self.get_kind_display()}s are not read"
