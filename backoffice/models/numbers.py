from django.db import models

from backoffice.choices import Series


class NumberSeries(models.Model):
    """`next` is the number that the next document (or customer) of the series gets."""

    name = models.CharField(max_length=2, choices=Series, primary_key=True)
    next = models.BigIntegerField(default=1)

    class Meta:
        verbose_name_plural = "number series"

    def __str__(self) -> str:
        return f"{self.name}-{self.next:06}"
