"""The shop's clock: the real one, or one a test sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells aware UTC times of whole seconds, as a shop's database does. Real until `set` is called."""

    def __init__(self) -> None:
        self._fixed: datetime | None = None

    def now(self) -> datetime:
        return (self._fixed or datetime.now(UTC)).replace(microsecond=0)

    def set(self, moment: datetime) -> None:
        """Stand still at `moment` (aware). Raises ValueError on a time without a zone."""
        if moment.tzinfo is None:
            raise ValueError("The clock needs a time with a zone.")
        self._fixed = moment.astimezone(UTC)

    def advance(self, seconds: float) -> datetime:
        """Move on by `seconds` and stand still there. Returns the new time."""
        self.set((self._fixed or datetime.now(UTC)) + timedelta(seconds=seconds))
        return self.now()

    def release(self) -> None:
        """Follow the real clock again."""
        self._fixed = None
