"""Celery's tasks: ids in, one service call each. Running one twice is harmless."""

from celery import shared_task

from carts.services import subscriptions, ticking, webhooks


@shared_task
def tick() -> None:
    ticking.tick()


@shared_task
def poll_feed(feed_id: int, token: str) -> None:
    ticking.poll_claimed(feed_id, token)


@shared_task
def poll_if_due(feed_id: int) -> None:
    ticking.poll_if_due(feed_id)


@shared_task
def push_stock(cart_id: int) -> None:
    ticking.push_stock(cart_id)


@shared_task
def push_records(cart_id: int, kind: str) -> None:
    ticking.push_records(cart_id, kind)


@shared_task
def work_on_run(run_id: int) -> None:
    ticking.work_on_run(run_id)


@shared_task
def read_webhooks(cart_id: int) -> None:
    webhooks.read_again(cart_id)


@shared_task
def check_webhooks(cart_id: int) -> None:
    subscriptions.check(cart_id)
