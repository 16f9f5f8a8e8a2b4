"""A laboratory put back to where it began, as often as it takes, and staplecfg killed in it.

    with Lab.make(tmp_path / "lab") as lab:
        points = killed_everywhere(Bench(lab, tmp_path / "aside"), "apply", "--unscheduled")

The server does not run meanwhile. `Bench.half` has what its configuration was
like after a kill, for whoever wants to know how a server would take it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from staplecfg.cli.main import main
from tests.support import killpoints

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.command_line import Ended

PASSING = ".staplecfg-"
"""How the names of our temporary files begin."""


class Server(Protocol):
    """What a laboratory's server must be able to say of its configuration."""

    prefix: Path

    def test(self) -> subprocess.CompletedProcess[str]: ...


class AnyLab(Protocol):
    """What is put back and killed in: whichever server it has."""

    root: Path

    @property
    def server(self) -> Server: ...
    @property
    def state(self) -> Path: ...
    def files(self) -> dict[str, bytes]: ...
    def arguments(self, command: str, *more: str) -> list[str]: ...
    def cli(self, command: str, *more: str) -> Ended: ...


@dataclass
class Bench:
    """A laboratory, and where copies of it are kept."""

    lab: AnyLab
    aside: Path
    half: dict[frozenset[tuple[str, bytes]], Path] = field(default_factory=dict)
    """Each configuration that was found after a kill, and a copy of the prefix as it was then."""

    def keep(self) -> None:
        """Remember configuration and state as they are now."""
        shutil.rmtree(self.aside, ignore_errors=True)
        for name in self._kept():
            if (self.lab.root / name).exists():
                shutil.copytree(self.lab.root / name, self.aside / name, symlinks=True)

    def put_back(self) -> None:
        """Put configuration and state back to what was kept."""
        for name in self._kept():
            shutil.rmtree(self.lab.root / name, ignore_errors=True)
            if (self.aside / name).exists():
                shutil.copytree(self.aside / name, self.lab.root / name, symlinks=True)

    def configure(self, copy: Path, *, but: frozenset[str] = frozenset()) -> None:
        """Make the server's prefix what it is in `copy`, but for the directories named `but`."""
        prefix = self.lab.server.prefix
        for path in prefix.iterdir():
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.name not in but:
                shutil.rmtree(path)
        spared = shutil.ignore_patterns(*but)
        shutil.copytree(copy, prefix, symlinks=True, dirs_exist_ok=True, ignore=spared)

    def act(self, *words: str) -> Callable[[], int]:
        """Return the action that runs staplecfg with `words`."""
        arguments = self.lab.arguments(*words)
        return lambda: main(arguments)

    def files(self) -> dict[str, bytes]:
        """Return the configuration; what is on its way there has a name that nobody includes."""
        found = self.lab.files().items()
        return {name: each for name, each in found if f"/{PASSING}" not in f"/{name}"}

    def litter(self) -> list[Path]:
        """Return every temporary file of ours, wherever it is."""
        return list(self.lab.root.rglob(f"{PASSING}*"))

    def staples(self) -> dict[str, bytes]:
        """Return the staples in the store, by name."""
        return {path.name: path.read_bytes() for path in (self.lab.state / "store").glob("*.der")}

    def require_accepted(self, when: str) -> None:
        """Require that the server accepts its configuration; each is tested once."""
        found = frozenset(self.files().items())
        if found in self.half:
            return
        tested = self.lab.server.test()
        assert tested.returncode == 0, f"{when}: {tested.stdout}{tested.stderr}"
        copy = self.aside.parent / f"half-{len(self.half)}"
        shutil.copytree(self.lab.server.prefix, copy, symlinks=True)
        self.half[found] = copy

    def _kept(self) -> tuple[str, str]:
        return self.lab.server.prefix.name, self.lab.state.name


def survives(here: Bench, action: Callable[[], int], new: dict[str, bytes], n: int) -> None:
    """Kill `action` at its point `n`, and require what was promised."""
    old = here.files()
    good = here.staples()

    ended = killpoints.kill_at(n, action)

    assert ended.killed, f"point {n} was not met: {ended.error}"
    here.require_accepted(f"killed at point {n}")
    for name, content in here.files().items():
        assert content in {old.get(name), new.get(name)}, (
            f"point {n}: {name} is neither old nor new"
        )

    again = here.lab.cli("warm", "--offline")
    assert again.status in {0, 1}, f"after point {n}: {again}"
    assert here.files() in (old, new), f"point {n}: half of it was undone"
    assert here.litter() == [], f"point {n}"
    assert not (here.lab.state / "journal").exists(), f"point {n}"
    for name, der in good.items():
        assert name in here.staples(), f"point {n}: a staple was lost"
        assert here.staples()[name] == der or here.staples()[name]
    here.require_accepted(f"undone after point {n}")


def killed_everywhere(here: Bench, *words: str) -> int:
    """Kill `words` at each of its points, from the same beginning; returns how many there are.

    Only where nothing has changed since the point before, it is not done again.
    """
    here.keep()
    calls = killpoints.names(here.act(*words))
    new = here.files()
    for n, call in enumerate(calls, start=1):
        if call in killpoints.NEUTRAL and n < len(calls):
            continue
        here.put_back()
        survives(here, here.act(*words), new, n)
    here.put_back()
    return len(calls)
