"""A practice shop with the limits its platform publishes, as a process of its own: python -m bench.limited '{...}'

Its clock for them runs `times` as fast, so that minutes of an import are seconds. Prints where it is and what lets one
in, and lives until its input ends.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.bigcommerce.quota import Quota
from sandbox.testing import PracticeShop, practice_shop


class Hurrying:
    """Seconds that go by `times` as fast, and moments made of them."""

    def __init__(self, times: float) -> None:
        self._times, self._began = times, time.monotonic()

    def seconds(self) -> float:
        return (time.monotonic() - self._began) * self._times

    def now(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=self.seconds())


def limit(place: PracticeShop, given: dict[str, Any]) -> None:
    clock = Hurrying(given["times"])
    if given["platform"] == "shopify":
        place.platform.bucket.now = clock.seconds
        place.platform.bucket.left = given.get("left", place.platform.bucket.limit)  # counted from now on
    else:
        place.platform.quota = Quota(clock, given["quota"], given["window_seconds"])  # type: ignore[arg-type]


def main() -> None:
    given = json.loads(sys.argv[1])
    wares = {name: given[name] for name in ("platform", "orders", "customers", "products")}
    with practice_shop(**wares, lines=2, plan=given.get("plan"), settle_seconds=0) as place:
        for table in place.shop.tables:
            table.render_all()
        limit(place, given)
        print(json.dumps({"url": place.address, "credentials": place.credentials}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
