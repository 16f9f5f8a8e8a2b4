"""Where the lines that can only be ours stand, and for which state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.site import Origin
from staplecfg.model.source import Location
from staplecfg.planning.patch import children
from staplecfg.servers.interface import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.site import Configuration, Setting, Site
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Delivery


@dataclass(frozen=True, slots=True)
class Line:
    """A line of ours that is in effect in a site; `own` says it stands in the site's own block.

    `inherited` says it stands around the block: a line in the block overrules it.
    """

    delivery: Delivery
    key: str
    location: Location
    own: bool
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A block that holds lines of ours itself, whatever kind of block it is.

    A key is empty where a line does not tell which site it is for.
    """

    file: PurePosixPath
    block: Directive
    found: tuple[tuple[Delivery, str], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The site keys in its lines."""
        return tuple(key for _, key in self.found)


def our_lines(
    site: Site, configuration: Configuration, ways: Ways, state_dir: PurePosixPath
) -> tuple[Line, ...]:
    """Return the lines of ours in effect in `site`, its own first.

    A file that the block includes may hold one too, written by a configuration
    manager, before there is anything in state for it to find.
    """
    found = [
        _line(*owner, site, Location(site.location.path, child.line), own=True)
        for child in children(site.block)
        if (owner := ways.owner(child.words, state_dir)) is not None
    ]
    found += _included(site, configuration, ways, state_dir)
    read = [
        setting
        for settings in site.settings.values()
        for setting in settings
        if in_state(setting, state_dir)
    ]
    for delivery in ways.every:
        found += _by_state(read, delivery, state_dir)
    return tuple({(line.delivery, line.key): line for line in reversed(found)}.values())[::-1]


def switched(site: Site, ways: Ways) -> Iterator[Line]:
    """Yield the lines in effect in `site` that are ours by what is known, not by what they say.

    Those are the ones that the record says we put in, without any that tells for
    itself; and where the settings ask for that very delivery, whoever turned it
    on means us to keep it supplied.
    """
    for delivery in ways.every:
        if delivery.switch is None:
            continue
        setting = site.setting(delivery.switch[0])
        if setting is None or [arg.lower() for arg in setting.args] != [*delivery.switch[1:]]:
            continue
        key = delivery.key(site)
        own = setting.origin is Origin.OWN and any(
            # A body that is used in several places is remembered by one of them.
            (each.key == key or site.used_at) and delivery.recorded(each.words)
            for each in ways.inserted.get(site.file, ())
        )
        if own or ways.asked == delivery:
            around = setting.origin is Origin.INHERITED
            yield Line(delivery, key, setting.location, own=own, inherited=around)


def our_blocks(
    configuration: Configuration, ways: Ways, state_dir: PurePosixPath
) -> Iterator[Block]:
    """Yield every block that holds a line of ours, in the order of the files."""
    tops = {site.file: site.block for site in configuration.sites if not site.block.name}
    for source in configuration.files.values():
        # A file counts as a block where it is a site itself: Apache's main server.
        if source.file in tops:
            yield from _blocks(source.file, (tops[source.file],), ways, state_dir)
        else:
            yield from _blocks(source.file, source.directives, ways, state_dir)


def in_state(setting: Setting, state_dir: PurePosixPath) -> bool:
    """Say whether `setting` stands in a file of ours in state."""
    # As text: asked of every directive of every site, `parents` is most of a plan's time.
    below = f"{state_dir}/"
    return str(setting.file).startswith(below) or str(setting.location.path).startswith(below)


def _line(delivery: Delivery, key: str, site: Site, at: Location, *, own: bool) -> Line:
    # One that tells no key is for whatever site it is in effect in.
    return Line(delivery, key or delivery.key(site), at, own)


def _included(
    site: Site, configuration: Configuration, ways: Ways, state_dir: PurePosixPath
) -> Iterator[Line]:
    included = dict.fromkeys(
        (setting.file, setting.location.path)
        for settings in site.settings.values()
        for setting in settings
        if setting.origin is Origin.INCLUDED
    )
    for file, path in included:
        source = configuration.files.get(file)
        for directive in source.directives if source is not None else ():
            owner = ways.owner(directive.words, state_dir)
            if owner is not None:
                yield _line(*owner, site, Location(path, directive.line), own=False)


def _by_state(
    read: Iterable[Setting], delivery: Delivery, state_dir: PurePosixPath
) -> Iterator[Line]:
    """Yield what is in effect from a state file, however the block came to read it."""
    for setting in read:
        key = setting.location.path.parent.name
        if setting.location.path in {each.path for each in delivery.state(key, NOTHING, state_dir)}:
            around = setting.origin is Origin.INHERITED
            yield Line(delivery, key, setting.location, own=False, inherited=around)


def _blocks(
    file: PurePosixPath,
    directives: tuple[Directive, ...],
    ways: Ways,
    state_dir: PurePosixPath,
) -> Iterator[Block]:
    for directive in directives:
        inside = children(directive)
        owners = [ways.owner(child.words, state_dir) for child in inside]
        found = tuple(owner for owner in owners if owner is not None)
        if found:
            yield Block(file, directive, found)
        yield from _blocks(file, inside, ways, state_dir)
