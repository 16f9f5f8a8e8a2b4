"""Which of a server's deliveries a site gets, and which it has already.

The settings may name one. Where they do not, a site stays with the delivery
whose lines it has: what was chosen for it once was chosen for a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.errors import UsageProblem

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Site
    from staplecfg.servers.interface import Delivery, Server, Words


@dataclass(frozen=True, slots=True)
class Ways:
    """The deliveries there are; `asked` is the one the settings name."""

    asked: Delivery | None
    default: Delivery
    every: tuple[Delivery, ...]

    def of(self, standing: Delivery | None) -> Delivery:
        """Return the delivery for a site that has the lines of `standing`, or of none."""
        return self.asked or standing or self.default

    def key(self, site: Site) -> str:
        """Return the site key, which is the same for every delivery."""
        return self.default.key(site)

    def owner(self, words: Words, state_dir: PurePosixPath) -> tuple[Delivery, str] | None:
        """Return whose line `words` can only be and the site key in it, or None."""
        for delivery in self.every:
            key = delivery.owned(words, state_dir)
            if key is not None:
                return delivery, key
        return None


@dataclass(frozen=True, slots=True)
class Use:
    """The state of one site key, through one delivery."""

    delivery: Delivery
    key: str


def ways(settings: Settings, server: Server) -> Ways:
    """Return the deliveries of `server` as `settings` have them; raises `UsageProblem`."""
    bound = {name: each.bound(settings) for name, each in server.deliveries.items()}
    name = settings.delivery
    if name is not None and name not in bound:
        raise UsageProblem(
            f'{server.name} has no delivery "{name}"',
            hint="there is " + ", ".join(sorted(bound)),
        )
    asked = None if name is None else bound[name]
    return Ways(asked, bound[server.default_delivery], tuple(bound.values()))
