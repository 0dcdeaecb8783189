"""That carts tell us by webhook at all: subscribed at Start, looked at daily, made anew where the shop dropped it.

After Stop the subscriptions stay, and what they tell is not kept: after a Stop nothing more is written to the cart, and
the next Start finds them there.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from carts.choices import CartStatus
from carts.errors import CartError, StopRequested
from carts.models import Cart, Delivery, Webhooks
from carts.platforms import REGISTRY
from carts.platforms.base import WebhookAdapter
from carts.services.budgets import Priority
from carts.services.connections import adapter_for, capabilities
from carts.services.webhooks import KEPT

log = logging.getLogger(__name__)

CHECKED_EVERY = timedelta(days=1)
# After a check that failed, or whose worker was killed.
TRIED_AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WebhookState:
    """What staff see. `off`: why the cart tells nothing, "" where it does."""

    off: str
    webhooks: Webhooks | None


def of_cart(cart: Cart) -> WebhookState | None:
    """None for a platform that tells nothing by webhook."""
    if not capabilities(cart).webhook_topics:
        return None
    webhooks = Webhooks.objects.filter(pk=cart.pk).first()
    if not settings.PUBLIC_URL:
        return WebhookState("Off: this server's PUBLIC_URL is not set, so the shop has nowhere to send them.", webhooks)
    if webhooks is None or webhooks.checked_at is None:
        return WebhookState("Not subscribed yet; that is done at Start.", webhooks)
    return WebhookState("" if cart.is_running else "Not kept while the cart is STOPPED.", webhooks)


def due(now: datetime) -> list[int]:
    """Ids of RUNNING carts whose subscriptions are to be looked at."""
    if not settings.PUBLIC_URL:
        return []
    names = [name for name, adapter in REGISTRY.items() if adapter.capabilities.webhook_topics]
    is_due = Q(webhooks=None) | Q(webhooks__next_check_at=None) | Q(webhooks__next_check_at__lte=now)
    carts = Cart.objects.filter(is_due, platform__in=names, status=CartStatus.RUNNING)
    return list(carts.values_list("pk", flat=True))


def check(cart_id: int) -> None:
    """Nothing happens unless it is due: the message may be old or delivered twice."""
    if cart_id not in due(timezone.now()):
        return
    row = Webhooks(cart_id=cart_id, key=secrets.token_urlsafe(32))
    Webhooks.objects.bulk_create([row], ignore_conflicts=True)
    mine, now = Webhooks.objects.filter(pk=cart_id), timezone.now()
    is_due = Q(next_check_at=None) | Q(next_check_at__lte=now)
    if not mine.filter(is_due).update(next_check_at=now + TRIED_AGAIN_AFTER):
        return
    Delivery.objects.filter(cart_id=cart_id, received_at__lt=now - KEPT).delete()
    webhooks = mine.select_related("cart").get()
    try:
        adapter = cast(WebhookAdapter, adapter_for(webhooks.cart, Priority.BACKGROUND))
        anew = adapter.keep_webhooks(address_of(webhooks))
    except StopRequested:
        return
    except CartError as error:
        # Polling goes on without; where the key is at fault, it says so itself.
        log.warning("Webhooks of cart %s: %s %s", cart_id, error.sentence, error.detail)
        mine.update(error=error.sentence)
        return
    mended = {"mended_at": now, "mended": ", ".join(anew)} if anew and webhooks.checked_at else {}
    mine.update(checked_at=now, next_check_at=now + CHECKED_EVERY, error="", **mended)


def address_of(webhooks: Webhooks) -> str:
    return f"{settings.PUBLIC_URL}{reverse('webhook', args=[webhooks.key])}"
