"""A small machine in a directory, and an apply on it that does a bit of everything."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.applying.transaction import carry
from staplecfg.model.change import Change, Content, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

BIG = b"server { listen 443 ssl; }\n" * 200


@dataclass(frozen=True)
class Machine:
    """What is under `root`; `state_dir` and a server's files are in it."""

    root: Path

    @property
    def state_dir(self) -> Path:
        """Where staplecfg keeps its state."""
        return self.root / "var/lib/staplecfg"

    @classmethod
    def furnished(cls, root: Path) -> Machine:
        """Furnish the directory `root` with what `changes` expects."""
        for directory in ("etc/nginx/sites", "etc/nginx/enabled", "etc/units"):
            (root / directory).mkdir(parents=True)
        (root / "etc/nginx/sites/shop").write_bytes(BIG)
        (root / "etc/nginx/sites/shop").chmod(0o640)
        (root / "etc/units/old.timer").write_bytes(b"[Timer]\n")
        (root / "etc/units/old.timer").chmod(0o600)
        (root / "etc/nginx/enabled/shop").symlink_to("../sites/blog")
        (root / "etc/nginx/enabled/gone").symlink_to("../sites/gone")
        return cls(root)

    def changes(self) -> tuple[Change, ...]:
        """Two creations, a modification, a deletion, and links made, turned and taken away."""
        return (
            change("/var/lib/staplecfg/nginx/k/staple.conf", None, file(b"# nothing yet\n")),
            change("/etc/nginx/sites/shop", file(BIG), file(BIG + b"ssl_stapling on;\n")),
            change("/etc/units/new.timer", None, file(b"[Timer]\n", mode=0o600), Kind.UNIT),
            change("/etc/units/old.timer", file(b"[Timer]\n"), None, Kind.UNIT),
            change("/etc/nginx/enabled/new", None, link("../sites/shop"), Kind.LINK),
            change("/etc/nginx/enabled/shop", link("../sites/blog"), link("../sites/shop")),
            change("/etc/nginx/enabled/gone", link("../sites/gone"), None, Kind.LINK),
        )

    def apply(self, *changes: Change) -> None:
        """Carry out `changes`, or all of ours, and commit."""
        with carry(
            changes or self.changes(),
            state_dir=self.state_dir,
            root=self.root,
            included=self.included,
        ) as transaction:
            transaction.commit()

    def included(self, path: PurePosixPath) -> bool:
        """Say what the server reads: all of `enabled`, dot-files too, as Apache would."""
        return PurePosixPath(self.root / "etc/nginx/enabled") in path.parents

    def looks(self) -> dict[str, tuple[object, ...]]:
        """Return everything under the root that is not the state directory itself."""
        return dict(_looks(self.root, self.state_dir))


def _looks(root: Path, state_dir: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    for directory, directories, names in os.walk(root):
        for name in sorted((*directories, *names)):
            path = Path(directory, name)
            status = path.lstat()
            if path == state_dir or path in state_dir.parents:
                continue
            if stat.S_ISLNK(status.st_mode):
                yield str(path.relative_to(root)), (str(path.readlink()),)
                continue
            data = path.read_bytes() if path.is_file() else None
            attributes = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
            extended = tuple((key, os.getxattr(path, key)) for key in os.listxattr(path))
            yield str(path.relative_to(root)), (data, attributes, extended)


def file(data: bytes, *, mode: int | None = None) -> Content:
    """A file's content."""
    return Content(data, mode=mode)


def link(target: str) -> Content:
    """A link's content."""
    return Content(link=target)


def change(
    path: str, before: Content | None, after: Content | None, kind: Kind = Kind.CONFIG
) -> Change:
    """A change of the file or link `path`."""
    return Change(PurePosixPath(path), kind, before, after)
