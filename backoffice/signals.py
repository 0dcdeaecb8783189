"""What the system tells whoever listens, inside the transaction that makes the change.

`records_changed`: items or customers were created, edited or deleted. Sent with `kind` ("item" or "customer"), `ids` (a
tuple of int) and `deleted` (bool). `stock_changed`: what can be sold of some items may have changed.

Sent with `item_ids` (a sorted tuple of int, each once), inside the transaction that makes the change: what a
receiver writes is committed with it or not at all. A PENDING document changes it too, since its quantities are
spoken for. A receiver must be quick and use no network.
"""

from django.dispatch import Signal

stock_changed = Signal()
records_changed = Signal()
