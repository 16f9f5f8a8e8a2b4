"""The templates: each file from the first directory that has it, the shipped ones last."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.machine.disk import Disk
from staplecfg.model.errors import Unreadable
from staplecfg.model.source import Location
from staplecfg.model.templates import Template, Templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGE = Path(__file__).parents[1]

SUFFIX = ".j2"

MOST_BYTES = 1 << 16
"""No template is longer; whatever is was not meant."""


def load(directories: Sequence[Path]) -> Templates:
    """Return every template there is, each from the first of `directories` that has it.

    Only templates that are shipped too can be overridden: another name would
    never be asked for. Raises `Unreadable` where an override is there and cannot
    be read: passing over it would quietly undo somebody's decision.
    """
    shipped = shipped_directory()
    return Templates(
        {
            str(name): _first(name, [*directories, shipped])
            for name in sorted(_names(shipped), key=str)
        }
    )


def shipped_directory() -> Path:
    """Return where the shipped templates are: in the wheel, or the checkout's top level."""
    packaged = PACKAGE / "templates"
    return packaged if packaged.is_dir() else PACKAGE.parent / "templates"


def _names(shipped: Path) -> Iterator[PurePosixPath]:
    found = [path for path in shipped.rglob(f"*{SUFFIX}") if path.is_file()]
    if not found:
        raise Unreadable(
            "holds none of the templates that come with staplecfg",
            at=Location(PurePosixPath(shipped)),
            hint="install staplecfg again",
        )
    for path in found:
        yield PurePosixPath(path.relative_to(shipped))


def _first(name: PurePosixPath, directories: Sequence[Path]) -> Template:
    for directory in directories:
        path = directory / name
        text = _read(path)
        if text is not None:
            return Template(PurePosixPath(path), text)
    raise Unreadable("no such template", at=Location(name))


def _read(path: Path) -> str | None:
    """Return the text of `path`, or None where there is nothing at all."""
    at = Location(PurePosixPath(path))
    disk = Disk(Path("/"))
    if not disk.exists(at.path):
        if path.is_symlink():
            raise Unreadable("a link that leads nowhere", at=at, hint="take the link away")
        return None
    content = disk.read(at.path)
    if len(content) > MOST_BYTES:
        raise Unreadable(f"longer than {MOST_BYTES} bytes, so no template", at=at)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable("not UTF-8", at=Location(at.path, line)) from None
