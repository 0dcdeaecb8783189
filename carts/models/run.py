from django.db import models

from carts.choices import Kind, Outcome, RunKind, RunState
from carts.models.cart import Cart


class Run(models.Model):
    """One piece of work a person can open: who or what started it, counts, every record's outcome, its log."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=12, choices=RunKind)
    record_kind = models.CharField(max_length=10, choices=Kind, default=Kind.ORDER)
    state = models.CharField(max_length=15, choices=RunState, default=RunState.QUEUED)
    # A member of staff's user name; empty: the schedule.
    started_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField(null=True, blank=True)
    # How many records ended with each Outcome; always the sum over the items.
    counts = models.JSONField(default=dict)
    # What was asked for: since (ISO time), the filter of "all that match", ...
    parameters = models.JSONField(default=dict)
    # The same click sent twice carries the same key and makes one run.
    request_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["cart", "-id"], name="run_newest"),
            models.Index(
                fields=["lease_until"], condition=models.Q(state__in=["queued", "running"]), name="run_active"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def done(self) -> int:
        return sum(count for outcome, count in self.counts.items() if outcome != Outcome.PENDING)

    @property
    def is_active(self) -> bool:
        return self.state in (RunState.QUEUED, RunState.RUNNING)


class RunItem(models.Model):
    """One record's outcome in one run. A rehearsal's items are what WOULD be done."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="items")
    external_id = models.CharField(max_length=64)
    label = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=15, choices=Outcome, default=Outcome.PENDING)
    reason_code = models.CharField(max_length=24, blank=True)
    message = models.TextField(blank=True)
    local_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "external_id"], name="one_item_a_run_and_record")]

    def __str__(self) -> str:
        return f"{self.label or self.external_id}: {self.get_outcome_display()}"


class RunLogLine(models.Model):
    """Written as it happens, so that a killed run has told what it did until then."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_lines")
    at = models.DateTimeField()
    level = models.CharField(max_length=10, default="info")
    text = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
