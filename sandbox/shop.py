"""A practice shop's state with everything that can happen in it."""

from __future__ import annotations

from sandbox.trading import Trading


class Shop(Trading):
    """What tests and the practice switch hold. See state, catalogue and trading for what it can do."""

    def touch_rows(self, kind: str, ids: list[int]) -> None:
        """Edit records of a kind (order, product, customer): a list sorted by modified time moves them to its end."""
        table = next((table for table in self.tables if table.kind == kind), None)
        with self.changing():
            for record in [table.rows[each] for each in ids if each in table.rows] if table else []:
                record.modified = self.clock.now()
                self.save(table, record)
