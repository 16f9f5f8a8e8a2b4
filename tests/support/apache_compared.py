"""Trees for httpd and for us to read, and what both must make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.apache_dump import dump, module, ours

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MODULES = "".join(
    module(name) for name in ("mpm_event", "authz_core", "macro", "headers", "ssl", "socache_shmcb")
)

FILES = {
    "d/b.conf": "b",
    "d/a.conf": "a",
    "d/B.conf": "B",
    "d/.hidden": "hidden",
    "d/x~": "backup",
    "d/sub/z.conf": "z",
    "d/sub/.git/config": "git",
    "g/1.conf": "one",
    "g/10.conf": "ten",
    "g/2.conf": "two",
    "g/.dot.conf": "dot",
    "g/x[1].conf": "bracket",
    "w1/x.conf": "w1x",
    "w1/dir.conf/q": "q",
    "w2/x.conf": "w2x",
    "w2/y.conf": "w2y",
    "deep/a/b/c/d.conf": "deep",
}
"""Each holds one directive, of this name."""
LINKS = {
    "d/link.conf": "../g/1.conf",
    "wlink": "w1",
    "e/dangling": "/nowhere",
    "linked/dir": "../d/sub",
}


def laid_out(root: Path, text: str, more: Mapping[str, str] | None = None) -> Path:
    """Make a tree of `FILES` and `LINKS` under `root`, with `text` in its main file."""
    for directory in ("logs", "g/logs", "w3", "empty"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    written = {name: f"Header set {word} {name}\n" for name, word in FILES.items()}
    for name, content in {**written, **(more or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    for name, target in LINKS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    main = root / "httpd.conf"
    head = f"{MODULES}Listen 127.0.0.1:19999\nServerName main.test\n"
    main.write_bytes((head + text).encode())
    return main


def compared(root: Path, text: str, more: Mapping[str, str] | None = None, **given: object) -> int:
    """Require both readings to be equal, or both to fail; return how many directives there are."""
    main = laid_out(root, text, more)
    said = dump(main, server_root=root, **given)  # type: ignore[arg-type] # flags and variables
    found = ours(main, server_root=root, **given)  # type: ignore[arg-type] # as above
    assert found == said.directives, said.error
    return len(found)
