"""What staff see of the items and customers that pass: how changes are found, and how old the answer can be."""

from dataclasses import dataclass

from carts.choices import Kind
from carts.models import Cart, Feed
from carts.services.connections import capabilities


@dataclass(frozen=True, slots=True)
class UpdateState:
    """`found`: a sentence; `feed` tells when it was last looked at."""

    title: str
    found: str
    feed: Feed


def of_cart(cart: Cart) -> list[UpdateState]:
    """Empty where neither items nor customers pass."""
    told = []
    for feed in Feed.objects.filter(cart=cart).exclude(kind=Kind.ORDER).order_by("kind"):
        noun = f"{feed.get_kind_display()}s"
        swept = f"all {noun.lower()} are compared every {cart.record_sweep_hours} hours"
        if feed.kind in capabilities(cart).tells_changes:
            found = f"Found by the time they were changed, every {cart.poll_interval_seconds} seconds; {swept}."
        else:
            found = f"The shop cannot name those that changed, so {swept}: a change can be that old."
        told.append(UpdateState(f"{noun} From Cart", found, feed))
    return told
