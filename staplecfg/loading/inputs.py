"""The files that a run goes by, and where they would change: what `warm --watch` looks at."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.loading.settings import DEFAULT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from staplecfg.model.facts import Facts

Trace: TypeAlias = "Mapping[Path, object]"
"""What can be told of files without reading them."""

MOST_LINKS = 40
"""A path that leads through more links leads nowhere (Linux, path_resolution(7))."""


def inputs(facts: Facts, settings_file: PurePosixPath | None) -> frozenset[Path]:
    """Return the files and the included directories that `facts` came from, ours excepted."""
    state = Path(facts.settings.state_dir)
    paths = {Path(source.path) for source in facts.configuration.files.values()}
    paths |= {Path(path) for path in (*facts.chains, *facts.settings.trust)}
    certificates = (one for site in facts.configuration.sites for one in site.certificates)
    paths |= {Path(one.sent_with) for one in certificates if one.sent_with is not None}
    paths |= {_literal(pattern) for pattern in facts.configuration.patterns}
    paths.add(Path(settings_file or DEFAULT_FILE))
    return frozenset(path for path in paths if state not in (path, *path.parents))


def directories(paths: Iterable[Path]) -> frozenset[Path]:
    """Return the directories in which `paths`, links on the way to them or these can be replaced.

    A directory as a whole, too: it is an entry of the one above it.
    """
    found: set[Path] = set()
    for path in paths:
        _follow(path, found, MOST_LINKS)
    return frozenset(found)


def trace(paths: Iterable[Path]) -> Trace:
    """Return what tells one version of `paths` from the next: of a directory, what is in it."""
    return {path: _trace(path) for path in paths}


def _follow(path: Path, found: set[Path], links: int) -> None:
    directory = path if path.is_dir() else path.parent
    found |= {directory, directory.parent}
    for part in (path, *path.parents):
        if links and part.is_symlink():
            found.add(part.parent)
            target = part.parent / part.readlink()
            _follow(target / path.relative_to(part), found, links - 1)
            return


def _trace(path: Path) -> object:
    try:
        status = path.stat()
        if path.is_dir():
            return status.st_dev, status.st_ino, frozenset(path.iterdir())
    except OSError as error:
        return error.errno
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _literal(pattern: str) -> Path:
    """Return the part of an include's `pattern` before its first wildcard."""
    parts = PurePosixPath(pattern).parts
    literal = 0
    while literal < len(parts) and not set(parts[literal]) & set("*?["):
        literal += 1
    return Path(*parts[:literal]) if literal else Path("/")
