from django.db import models

from carts.models.cart import Cart


class CartBudget(models.Model):
    """What one cart allows us and what is left of it, shared by all workers. There is a row once a cart told a limit.

    Changed by an UPDATE on `version` alone, so that every change was decided on the one before it.
    """

    cart = models.OneToOneField(Cart, on_delete=models.CASCADE, primary_key=True, related_name="budget")
    # carts.services.allowances.Book as JSON.
    book = models.TextField()
    version = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.cart}: budget"
