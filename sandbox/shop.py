"""A practice shop's state with everything that can happen in it."""

from __future__ import annotations

from sandbox.trading import Trading


class Shop(Trading):
    """What tests and the practice switch hold. See state, catalogue and trading for what it can do."""

    def touch_rows(self, ids: list[int]) -> None:
        """Edit these orders or products so that a list sorted by modified time moves them to its end."""
        moment = self.clock.now()
        with self.changing():
            for record_id in ids:
                table = self.orders if record_id in self.orders.rows else self.products
                record = table.rows.get(record_id)
                if record is not None:
                    record.modified = moment
                    self.save(table, record)
