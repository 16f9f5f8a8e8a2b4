"""What was counted, as a table: those that are to be compared stand beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.count import Counted

HEAD = ("CA", "event", "stapling", "let in", "good", "none", "tryLater", "wrong", "slowest")
COLUMNS = "{:>9}  {:<9} {:<10} {:>7} {:>6} {:>6} {:>9} {:>6} {:>9}"


class CountedTable:
    """Rows by the state of the CA, what happened, and the stapling that was counted."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[str]] = {}

    def add(self, ca: str, stapling: str, event: str, counted: Counted) -> None:
        """Add a row; those of one `ca` and `event` stay together."""
        let_in = counted.handshakes - counted.refused
        row = COLUMNS.format(
            *(ca, event, stapling, let_in, let_in - counted.unstapled - counted.wrong),
            *(counted.unstapled, counted.try_later, counted.wrong - counted.try_later),
            f"{counted.slowest * 1000:.0f} ms",
        )
        self._rows.setdefault((ca, event), []).append(row)

    def __str__(self) -> str:
        rows = [
            row for (ca, _), rows in sorted(self._rows.items(), key=self._by_ca) for row in rows
        ]
        return "\n".join(["", COLUMNS.format(*HEAD), *rows])

    def _by_ca(self, item: tuple[tuple[str, str], list[str]]) -> int:
        """Return the place of the first row with the same CA: otherwise in order of coming."""
        (ca, _), _ = item
        return next(place for place, (other, _) in enumerate(self._rows) if other == ca)
