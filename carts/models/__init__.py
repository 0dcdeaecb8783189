from carts.models.budget import CartBudget
from carts.models.cart import Cart
from carts.models.feed import Feed
from carts.models.push import OpenUnits, Outbox, Push
from carts.models.record import Conflict, HeldFor, Record, RememberedAnswer
from carts.models.run import Run, RunItem, RunLogLine
from carts.models.webhook import Delivery, Webhooks

__all__ = [
    "Cart",
    "CartBudget",
    "Conflict",
    "Delivery",
    "Feed",
    "HeldFor",
    "OpenUnits",
    "Outbox",
    "Push",
    "Record",
    "RememberedAnswer",
    "Run",
    "RunItem",
    "RunLogLine",
    "Webhooks",
]
