"""How far long work has come: on standard error, on terminals only."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from staplecfg.cli.output.clean import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FEW = 1
"""So little work is over before anybody has read that it began."""


@contextlib.contextmanager
def progress(total: int, doing: str) -> Iterator[Callable[[str], None]]:
    """Show `doing` something `total` times; call what is yielded with each one's name."""
    if total <= FEW or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - costs more than most runs, on terminals only
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda name: bar.update(
            task, advance=1, description=f"{doing}: {escape(clean_line(name))}"
        )
