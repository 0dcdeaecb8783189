from django.db import models


class NumberSeries(models.Model):
    """The next free number of one kind of document or record. Only services.series changes it."""

    name = models.CharField(max_length=30, primary_key=True)
    next = models.BigIntegerField(default=1)

    class Meta:
        verbose_name_plural = "number series"

    def __str__(self) -> str:
        return f"{self.name}: {self.next}"
