"""Wake-ups through the broker. They carry ids only; a lost one costs a tick's wait, never any work."""

import logging

from celery import current_app
from django.conf import settings
from django.db import transaction

from carts.models import Cart
from carts.platforms import adapter_class
from cartsync import bell

log = logging.getLogger(__name__)


def wake_feed(feed_id: int) -> None:
    """After the transaction: look at this feed now rather than at the next tick."""
    transaction.on_commit(lambda: send("carts.tasks.poll_if_due", feed_id))


def wake_run(run_id: int) -> None:
    transaction.on_commit(lambda: send("carts.tasks.work_on_run", run_id))


def wake_webhooks(cart: Cart) -> None:
    """Only where the platform tells anything by webhook, and we have an address for it."""
    if settings.PUBLIC_URL and adapter_class(cart.platform).capabilities.webhook_topics:
        transaction.on_commit(lambda: send("carts.tasks.check_webhooks", cart.pk))


def wake_stock(cart_id: int) -> bool:
    """At once where a worker hears the bell, else like everything."""
    try:
        if bell.bell().ring(cart_id):
            return True
    except Exception as error:  # every broker has exceptions of its own
        log.warning("The bell could not be rung (%s); the next tick finds the work", type(error).__name__)
        return False
    return send("carts.tasks.push_stock", cart_id)


def send(task: str, *ids: object) -> bool:
    try:
        current_app.send_task(task, args=ids, ignore_result=True)
    except Exception as error:  # every broker has exceptions of its own
        log.warning("%s was not sent (%s); the next tick finds the work", task, type(error).__name__)
        return False
    return True
