"""What the schedule's files are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.planning import render
from staplecfg.planning.command_line import path_for_systemd
from staplecfg.planning.looking import shortest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.facts import Facts
    from staplecfg.model.looks import Looks
    from staplecfg.model.target import Target

UNITS = PurePosixPath("/etc/systemd/system")

READABLE = 0o644
EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class Needs:
    """The command that renews, and every target it is for."""

    facts: Facts
    warm_command: tuple[str, ...]
    targets: tuple[Target, ...]

    @property
    def state_dir(self) -> PurePosixPath:
        """The state directory, which all of the targets share."""
        return self.facts.settings.state_dir

    @property
    def looks(self) -> Looks:
        """How often all of the targets are looked after: as the one that needs it most often."""
        return shortest(each.looks for each in self.targets)

    def writable(self, *more: PurePosixPath) -> list[str]:
        """Return what a unit that tests servers must be able to write, escaped for systemd."""
        prefixes = (each.prefix for each in self.targets if each.prefix is not None)
        return self.kept(*prefixes, *more)

    def kept(self, *more: PurePosixPath) -> list[str]:
        """Return where staples are kept, and `more`, escaped for systemd."""
        stores = (store for each in self.targets for store in each.stores)
        paths = dict.fromkeys((self.state_dir, *more, *stores))
        return [path_for_systemd(str(path)) for path in paths]

    def rendered(
        self, template: str, variables: Mapping[str, object], mode: int = READABLE
    ) -> Content:
        """Return the file that template `schedule/TEMPLATE.j2` makes of `variables`."""
        text, _ = render.text(self.facts.templates, f"schedule/{template}.j2", variables)
        return Content(text.encode("utf-8", "surrogateescape"), mode=mode)
