"""Being somebody without power, as most users of a machine are: tests run as root in CI."""

from __future__ import annotations

import contextlib
import os
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534


@contextlib.contextmanager
def reachable_directory() -> Iterator[Path]:
    """Make a directory that everybody can look into, for as long as the context lasts.

    pytest's own (`tmp_path`) are below one that is shut to others again whenever a
    further pytest begins.
    """
    with tempfile.TemporaryDirectory(prefix="staplecfg-tests-") as made:
        directory = Path(made)
        directory.chmod(0o755)
        yield directory


def open_to_nobody(path: Path) -> bool:
    """Say whether somebody without power may come to `path` at all."""
    return os.geteuid() != 0 or all(above.stat().st_mode & 0o001 for above in path.parents)


def as_nobody(directory: Path, action: Callable[[], object]) -> None:
    """Run `action` in a forked child without root's power; what it raises fails the test.

    `directory` and those above it are opened for passing through; only below a
    `reachable_directory` do they stay so. Where the tests do not run as root, nothing
    has to be given up.
    """
    if os.geteuid() != 0:
        action()
        return
    for above in (directory, *directory.parents[:-1]):
        if not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads at fork
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            action()
            status = 0
        except BaseException:  # noqa: BLE001 - the child must not return into pytest
            traceback.print_exc()
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended) == 0, "the action failed as nobody (traceback above)"
