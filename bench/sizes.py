"""How much is measured. Ratios are per order, so a side that is slow needs no more than its figure takes to settle."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Numbers of orders, unless another unit is named."""

    orders: int  # in the shop, and imported at 0 ms
    customers: int
    items: int
    plain: int  # the plain way, at 0 ms
    plain_slow: int  # the plain way, at 200 ms
    slow: int  # the import at 200 ms, one request at a time
    floor_slow: int  # the floor, at 200 ms
    in_flight: int  # at 200 ms, four requests in flight
    pairs: int
    backlog: int  # the long backlog whose memory is compared with that of `orders`
    few_records: int
    many_records: int
    stock_changes: int  # single changes of stock, each followed to the cart
    stock_changes_slow: int  # the same at 50 ms
    burst: int  # changes of stock in one transaction
    one_by_one: int  # changes of stock, each in a transaction of its own
    stock_items: int  # linked, that these change
    limited: int  # imported from a shop with a limit


FULL = Sizes(
    orders=10_000,
    customers=3_000,
    items=1_000,
    plain=300,
    plain_slow=100,
    slow=1_300,
    floor_slow=700,
    in_flight=2_600,
    pairs=5,
    backlog=100_000,
    few_records=1_000,
    many_records=1_000_000,
    stock_changes=200,
    stock_changes_slow=20,
    burst=10_000,
    one_by_one=10_000,
    stock_items=1_000,
    limited=5_000,
)
# The same cases, each too small for its figure to mean much.
QUICK = Sizes(
    orders=400,
    customers=200,
    items=1_000,
    plain=100,
    plain_slow=100,
    slow=120,
    floor_slow=120,
    in_flight=250,
    pairs=1,
    backlog=1_000,
    few_records=1_000,
    many_records=10_000,
    stock_changes=6,
    stock_changes_slow=3,
    burst=300,
    one_by_one=100,
    stock_items=100,
    limited=400,
)
