"""Which of the things for the whole server are ours, and who else has come to rely on them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.model.facts import MARK, Record
from staplecfg.model.target import Target
from staplecfg.servers.apache.values import flag, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Setting, Site
    from staplecfg.servers.interface import Words

SWITCH = "SSLUseStapling"

NAME = "staplecfg.conf"
"""What our file for the whole server is called, and the link to it."""


def stands(path: PurePosixPath, facts: Facts) -> bool:
    """Say whether what stands at `path` is what we left there.

    Where the record was lost, a file of ours is known by how it begins.
    """
    files = facts.files
    lost = path.name == NAME and _lost(facts)
    made = [each for each in facts.record.made if each.config == facts.installation.config]
    # Asked about every module that is loaded: nothing is read that could not be ours.
    if not lost and not any(each.path.name == path.name for each in made):
        return False
    at = files.resolve(path.parent) / path.name
    link = files.link(at)
    if link is None and not files.exists(at):
        return False
    found = Content(link=link) if link is not None else Content(files.read(at))
    if any(each.path == at and each.stands(found) for each in made):
        return True
    return lost and found.link is None and found.data.startswith(MARK)


def foreign(name: str, facts: Facts) -> tuple[Setting, ...]:
    """Return the lines `name` of the whole server that somebody else wrote, wherever they stand."""
    return tuple(
        each for each in facts.configuration.globals.get(name, ()) if not is_ours(each, facts)
    )


def relying(sites: Sequence[Site], facts: Facts) -> Iterator[Site]:
    """Yield the sites besides `sites` in which somebody else has turned stapling on.

    Each insertion of ours accounts for one line: another in the same words and the
    same file, a copied virtual host's, is somebody else's and stays.
    """
    kept = {(site.file, site.block.span) for site in sites}
    lost, known = _lost(facts), Counter(_put_in(facts))
    accounted: set[object] = set()
    for site in facts.configuration.sites:
        switch = site.setting(SWITCH)
        if switch is None or not flag(switch):
            continue
        line = (switch.file, switch.directive.span)
        words = (switch.file, _folded(switch.directive.words))
        if line not in accounted and known[words]:
            known[words] -= 1
            accounted.add(line)
        # Where the record was lost, a line of ours is known by the one that goes with it.
        told = lost and is_local(site.value("SSLStaplingForceURL"))
        if not (told or line in accounted or (site.file, site.block.span) in kept):
            yield site


def put_in(setting: Setting, facts: Facts) -> bool:
    """Say whether we put this very line into a site's block, by the record."""
    return (setting.file, _folded(setting.directive.words)) in _put_in(facts)


def is_ours(setting: Setting, facts: Facts) -> bool:
    """Say whether `setting` stands in a file of ours for the whole server, or is read by a link."""
    if setting.location.path.name == NAME:
        return stands(setting.file, facts)  # what the link leads to may have been changed since
    return stands(setting.location.path, facts)


def is_read(line: Words, facts: Facts) -> bool:
    """Say whether `line` stands at the top level of the main file."""
    main = facts.configuration.files.get(facts.files.resolve(facts.configuration.main))
    return main is not None and any(each.words == line for each in main.directives)


def _put_in(facts: Facts) -> list[object]:
    return [(each.file, _folded(words)) for each in facts.record.inserted for words in each.words]


def _folded(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.lower() for word in words)


def _lost(facts: Facts) -> bool:
    """Say whether there should be a record of this server and is none."""
    if facts.record != Record():
        return False
    server, config = facts.installation.server, facts.installation.config
    targets = (each for each in facts.targets if isinstance(each, Target))
    own = next((each for each in targets if each.is_for(server, config)), None)
    return own is None or bool(own.files)
