"""A table of plain values, for templates/backoffice/table.html."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    is_number: bool = False
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` and `sums` have one cell a column; on a phone each cell stands beside its column's title."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    sums: Sequence[Any] = ()

    def cells(self) -> list[list[tuple[Column, Any]]]:
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    def sum_cells(self) -> list[tuple[Column, Any]]:
        return list(zip(self.columns, self.sums, strict=True)) if self.sums else []
