"""How often somebody looks after the staples; how early one must go follows from that alone.

A server does not look at a staple's end. So whoever leaves one in service must
know that somebody comes before that end: `warm` that its next run does, whatever
becomes of the dead man; the dead man that he does, whatever becomes of `warm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MINUTE = timedelta(minutes=1)

RUN = 5 * MINUTE
"""What a run takes until the server has read what it decides, where nobody says otherwise: the
timer's accuracy, waiting for the lock, asking, testing, reloading."""

USUALLY = 5 * MINUTE
"""How often the dead man looks, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Looks:
    """`interval` is that of the schedule, `dead_man_interval` the dead man's.

    Both are whole minutes of which an hour is a multiple, unless something of the
    user's calls both. Without one of his own, the dead man looks every five
    minutes, and at least twice in an `interval`. `run` is how long a run may take.
    """

    interval: timedelta = timedelta(hours=1)
    dead_man_interval: timedelta | None = None
    run: timedelta = RUN

    @property
    def dead_man(self) -> timedelta:
        """How often the dead man looks."""
        if self.dead_man_interval is not None:
            return self.dead_man_interval
        half = min(USUALLY, self.interval / 2)
        return half // MINUTE * MINUTE or half

    @property
    def delay(self) -> timedelta:
        """How late a run may begin, by intent: not all machines are to ask at once."""
        return self.interval / 6

    @property
    def margin(self) -> timedelta:
        """How long before its end `warm` withdraws a staple: its next run may come so late."""
        return self.interval + self.delay + self.run

    @property
    def overdue(self) -> timedelta:
        """How long after his time has come the dead man waits for no lock any more."""
        return self.dead_man

    @property
    def dead_man_margin(self) -> timedelta:
        """How long before its end the dead man's time comes: always after `margin`.

        He may find the lock held and leave the work to its holder, until it is
        `overdue`; then he looks once more, and goes ahead.
        """
        return self.overdue + self.dead_man + self.run
