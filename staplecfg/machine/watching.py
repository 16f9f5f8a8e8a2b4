"""Directories watched for changes, so that nobody has to look every few seconds."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, final

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from watchdog.observers.api import ObservedWatch

QUIET = 0.2
"""Seconds without another change after which whoever writes is taken to be done."""
LONGEST_UNREST = 2.0
"""Seconds after which a change is told although more come."""

_EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]
"""Not those of reading: our own would wake us up."""

Identity = tuple[str, int, int]
"""A directory's path, and what it is: one made anew at the same path is another."""


@final
class Watcher:
    """Tells when something in the watched directories changes; those below are not looked into."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._observer = Observer()
        self._changed = threading.Event()
        self._watches: dict[Identity, ObservedWatch] = {}
        self._deleted: set[str] = set()
        self.unwatched: Mapping[Path, str] = {}
        """The directories that could not be watched, and why: too many watches, mostly."""

    def __enter__(self) -> Watcher:
        """Begin."""
        self._observer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End its threads."""
        self._observer.stop()
        self._observer.join(timeout=5)

    def watch(self, directories: Iterable[Path]) -> bool:
        """Watch `directories` and no others from now on; say whether that is a change."""
        wanted = dict(_identified(directories))
        # Made anew, it may well get the number of the one before it, but not its watch.
        deleted = {identity for identity in self._watches if identity[0] in self._deleted}
        self._deleted.clear()
        gone = (self._watches.keys() - wanted.keys()) | deleted
        for identity in gone:
            self._observer.unschedule(self._watches.pop(identity))
        unwatched: dict[Path, str] = {}
        added = False
        for identity in wanted.keys() - self._watches.keys():
            try:
                self._watches[identity] = self._schedule(wanted[identity])
            except OSError as problem:
                unwatched[wanted[identity]] = (problem.strerror or str(problem)).lower()
            else:
                added = True
        self.unwatched = unwatched
        return bool(gone) or added

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for a change and for the end of it; say whether there was one."""
        if not self._changed.wait(max(0.0, seconds)):
            return False
        deadline = time.monotonic() + LONGEST_UNREST
        self._changed.clear()
        while time.monotonic() < deadline and self._changed.wait(QUIET):
            self._changed.clear()
        return True

    def _schedule(self, directory: Path) -> ObservedWatch:
        return self._observer.schedule(
            _Handler(self._changed, self._deleted, str(directory)),
            str(directory),
            recursive=False,
            event_filter=_EVENTS,
        )


class _Handler(FileSystemEventHandler):
    """Passes on that something changed, and whether the directory itself is gone."""

    def __init__(self, changed: threading.Event, deleted: set[str], directory: str) -> None:
        self._changed = changed
        self._deleted = deleted
        self._directory = directory

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, DirDeletedEvent) and event.src_path == self._directory:
            self._deleted.add(self._directory)
        self._changed.set()


def _identified(directories: Iterable[Path]) -> Iterator[tuple[Identity, Path]]:
    for directory in directories:
        there = _there(directory)
        status = there.stat()
        yield (str(there), status.st_dev, status.st_ino), there


def _there(directory: Path) -> Path:
    """Return `directory`, or the nearest one above it that is there: it may come to be."""
    return next((one for one in (directory, *directory.parents) if one.is_dir()), Path("/"))
