"""The programme is carried out while `warm` runs as on a schedule and visitors come and go."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, final

from tests.support.weeks.programme import Out, Reload, Way
from tests.support.weeks.verdict import Done, Run
from tests.support.weeks.visits import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from tests.support.command_line import Ended
    from tests.support.weeks.programme import Event, Swap
    from tests.support.weeks.visits import Visit
    from tests.support.weeks.world import Server, World

IN_TURN = ("warm", "warm --offline")
"""What keeps the schedule waiting, besides what takes no time."""
PAUSE = 0.3
"""Seconds between two runs of the schedule: more than it is promised to be, for a run takes its
time too, on a busy machine ten times that of an idle one."""


@dataclass(frozen=True)
class Note:
    """Something that was done, from `begins` to `ends` (seconds since 1970), and how it went."""

    begins: float
    ends: float
    what: str
    status: int = 0
    said: str = ""
    kept_waiting: float = 0.0
    """Seconds of it in which the machine let others run instead."""

    @property
    def run(self) -> Run:
        """It, as a run of `warm`."""
        return Run(self.begins, self.ends, self.kept_waiting)


@dataclass
class Played:
    """What came of it."""

    began: float
    notes: list[Note] = field(default_factory=list)
    outages: list[Note] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    @property
    def done(self) -> Done:
        """When it was done."""
        runs = [each.run for each in self.notes if each.what == "warm"]
        turns = [each.run for each in self.notes if each.what in IN_TURN]
        return Done(runs, turns, [each.run for each in self.notes if each.what.startswith("warm")])

    @property
    def odd(self) -> list[Note]:
        """What must not happen: a run that ends in anything but 0 or 1, a reload refused."""
        runs = [note for note in self.notes if note.what.startswith("warm")]
        reloads = [note for note in self.notes if note.what.endswith(": reload")]
        return [note for note in runs if note.status not in {0, 1}] + [
            note for note in reloads if note.status != 0
        ]

    @property
    def summary(self) -> str:
        """How much was done, in a line."""
        counts = Counter(note.what.split()[0] for note in self.notes)
        runs = [run.ends - run.begins for run in self.done.runs]
        own = [run.own for run in self.done.runs]
        return (
            f"{len(self.visits)} handshakes; {counts['warm']} runs of warm, of which the scheduled"
            f" took {median(runs):.1f} s, {max(runs):.1f} s at most ({max(own):.1f} s by"
            f" themselves); {len(self.outages)} outages"
        )

    def around(self, moment: float, seconds: float = 12.0) -> str:
        """Return what was going on around `moment`, a line for each."""
        near = [
            note
            for note in sorted([*self.notes, *self.outages], key=lambda note: note.begins)
            if note.begins < moment + 2 and note.ends > moment - seconds
        ]
        return "\n".join(
            f"{note.begins - self.began:7.2f}..{note.ends - self.began:7.2f}"
            f" {note.what} -> {note.status} {note.said}".rstrip()
            for note in near
        )


@final
class Schedule:
    """`warm`, again and again, each in a process of its own, from entering to leaving.

    `turn` is held in a run. Whoever takes it swaps a certificate while no run is
    on its way: in the moment between our last look at the certificates and
    nginx's reading of them, a swap would be the window that docs/renewal.md owns up to.
    """

    def __init__(self, world: World, played: Played) -> None:
        self.turn = threading.Lock()
        self._world = world
        self._played = played
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Schedule:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(timeout=150)
        assert not self._thread.is_alive(), "warm does not end"
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._over.wait(PAUSE):
                with self.turn:
                    warm(self._world, self._played)
        except BaseException as failure:  # noqa: BLE001 - raised again where the schedule is left
            self._failure = failure


def warm(world: World, played: Played, *more: str) -> Ended:
    """Run `warm` and note how it went."""
    begins = time.time()
    finished = world.process("warm", *more)
    ended = finished.ended
    said = " | ".join(f"{ended.out}{ended.err}".strip().splitlines())
    what = " ".join(["warm", *more])
    played.notes.append(Note(begins, time.time(), what, ended.status, said, finished.kept_waiting))
    return ended


def play(world: World, events: Sequence[Event], seconds: float, seed: int) -> Played:
    """Let `events` happen, each at its time, and return what was seen in `seconds`."""
    played = Played(time.time())
    servers = world.servers.values()
    streams = [Stream(each.name, each.crowd, seed) for each in servers]
    with contextlib.ExitStack() as stack:
        for stream in streams:
            stack.enter_context(stream)
        schedule = stack.enter_context(Schedule(world, played))
        stack.enter_context(_outages(world, events, played.began))
        for event in events:
            if isinstance(event, Out):
                continue
            _sleep_until(played.began + event.at)
            begins = time.time()
            status = _happens(event, world, played, schedule)
            played.notes.append(Note(begins, time.time(), str(event), status))
        _sleep_until(played.began + seconds)
    played.outages = [
        Note(each.begins, each.ends, "the responder was out") for each in world.oracle.outages
    ]
    played.visits = [visit for stream in streams for visit in stream.visits]
    return played


@contextlib.contextmanager
def _outages(world: World, events: Sequence[Event], began: float) -> Iterator[None]:
    """Let outages come and go on time, whatever else is being waited for."""

    def run() -> None:
        for each in events:
            if isinstance(each, Out):
                _sleep_until(began + each.at)
                world.oracle.go(each.how)
                _sleep_until(began + each.at + each.seconds)
                world.oracle.come_back()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(timeout=60)
    assert not thread.is_alive(), "the last outage does not end"


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


def _happens(event: Reload | Swap, world: World, played: Played, schedule: Schedule) -> int:
    server = world.servers[event.server]
    if isinstance(event, Reload):
        return _reload(server)
    issued = world.issue(server, event.site)
    if event.way is not Way.WARM:
        paths = world.write(issued, world.root / "ahead" / server.name, event.site)
        named = [word for path in paths for word in ("--certificate", str(path))]
        begins = time.time()
        ahead = warm(world, played, *named, "--settings", str(world.root / "staplecfg.toml"))
        if ahead.status != 0:
            world.asked_in_vain(issued, begins)
        if ahead.status != 0 and event.way is Way.FOREIGN:
            return ahead.status  # put off: nginx would not ask again for five minutes
    with schedule.turn:
        world.deploy(server, event.site, issued)
        if event.way is Way.WARM:
            return warm(world, played).status
        if event.way is Way.AHEAD:
            warm(world, played, "--offline")
        return _reload(server)


def _reload(server: Server) -> int:
    return server.nginx.run("-s", "reload").returncode
