"""Which of a server's deliveries a site gets, and which it has already.

The settings may name one. Where they do not, a site stays with the delivery
whose lines it has: what was chosen for it once was chosen for a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.model.errors import UsageProblem
from staplecfg.model.facts import Inserted, Record
from staplecfg.planning import targeted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Site
    from staplecfg.servers.interface import Delivery, Server, Words


@dataclass(frozen=True, slots=True)
class Ways:
    """The deliveries there are; `asked` is the one the settings name."""

    asked: Delivery | None
    default: Delivery
    every: tuple[Delivery, ...]
    inserted: Mapping[PurePosixPath, Sequence[Inserted]] = field(default_factory=dict)
    """What the record holds of each file."""

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


def ways(facts: Facts, server: Server) -> Ways:
    """Return the deliveries of `server` as `facts` have them; raises `UsageProblem`."""
    settings, configuration = facts.settings, facts.configuration
    bound = {name: each.bound(settings, configuration) for name, each in server.deliveries.items()}
    name = settings.delivery_to(server.name)
    if name is not None and name not in bound:
        raise UsageProblem(
            f'{server.name} has no delivery "{name}"',
            hint=f"there is {', '.join(sorted(bound))}; what is meant for another server stands"
            " in its own section of the settings",
        )
    asked = None if name is None else bound[name]
    every = tuple(bound.values())
    inserted: dict[PurePosixPath, list[Inserted]] = {}
    for each in facts.record.inserted or _supposed(every, facts):
        inserted.setdefault(each.file, []).append(each)
    return Ways(asked, bound[server.default_delivery], every, inserted)


def _supposed(every: Sequence[Delivery], facts: Facts) -> Iterator[Inserted]:
    """Yield what the record may have held, where there should be one and is none.

    It is enough to go on keeping a line supplied that tells not whose it is, never to
    take it out.
    """
    target = targeted.known(facts) if facts.record == Record() else None
    for file in target.files if target is not None else ():
        for key in target.keys if target is not None else ():
            for each in every:
                if each.switch is not None and each.from_store:
                    yield Inserted(file, key, (each.switch,))
