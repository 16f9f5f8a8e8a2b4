"""A state file that the server renews itself: ours goes there only where it is the better one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.chain import Chain
from staplecfg.model.change import Content
from staplecfg.model.errors import Unreadable
from staplecfg.model.source import Location
from staplecfg.model.verdict import Good
from staplecfg.pki.judge import Purpose, judge
from staplecfg.pki.pem import encoded
from staplecfg.planning import looking
from staplecfg.planning.servable import servable
from staplecfg.servers.interface import Held, Serving

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.staple import Staple
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Renewed, StateFile


def straight(path: PurePosixPath, kept: Renewed, files: Filesystem) -> PurePosixPath:
    """Return where `path`, which is in the store of `kept`, really is: the store may be a link.

    Raises `Unreadable` where something beneath the store is: whoever may write
    there would decide what root reads, overwrites and gives away.
    """
    real = files.resolve(kept.store) / path.relative_to(kept.store)
    if files.resolve(path) != real:
        raise Unreadable(
            "is a symbolic link, or behind one, in a store where the server's own user may write;"
            " it is not followed",
            at=Location(path),
            hint="see who made it, take it away, and run the command again",
        )
    return real


def better(
    each: StateFile, at: PurePosixPath, kept: Renewed, facts: Facts
) -> tuple[Content | None, bool]:
    """Return what is to stand at `each`, really `at`, and whether the server takes that up itself.

    What stands there stays as long as it is good and lives as long as ours: the
    server has fetched it since. It is judged like any other, for the server
    looks at neither the signature nor the end. A worse one gives way to ours, or
    to nothing. Nothing in the place of something is taken up only by a reload,
    and so is what takes the place of an answer that was never right; the server
    looks again by itself where there was none, or where a good one nears its end.
    """
    standing = Content(facts.files.read(at)) if facts.files.exists(at) else None
    found = None if standing is None else _good(standing.data, kept, facts)
    ours = servable(kept.fingerprint, facts) if each.content is not None else None
    if found is not None and (ours is None or found.expires >= ours.expires):
        return standing, True
    return each.content, each.content is not None and (standing is None or found is not None)


def left_over(
    facts: Facts, ways: Ways, in_use: Collection[PurePosixPath]
) -> Iterator[PurePosixPath]:
    """Yield such files, as they really are, that hold what we wrote and that no site of ours needs.

    To the byte: what the server has written there since is its own.
    """
    chains = (each for each in facts.chains.values() if isinstance(each, Chain))
    stored = {each.fingerprint: each for each in chains if each.fingerprint in facts.stored}
    known = tuple(
        Held(leaf, encoded(chain.leaf), facts.stored[leaf].staple) for leaf, chain in stored.items()
    )
    for delivery in ways.every:
        for each in delivery.state("", Serving(each=known), facts.settings.state_dir):
            if each.renewed is None or each.content is None or each.path in in_use:
                continue
            at = straight(each.path, each.renewed, facts.files)
            if facts.files.exists(at) and facts.files.read(at) == each.content.data:
                yield at


def _good(data: bytes, kept: Renewed, facts: Facts) -> Staple | None:
    """Return the staple in `data` if it may be handed out until the next run, else None."""
    response = kept.response(data)
    chains = (each for each in facts.chains.values() if isinstance(each, Chain))
    chain = next((each for each in chains if each.fingerprint == kept.fingerprint), None)
    if response is None or chain is None or chain.issuer is None:
        return None
    found = judge(
        response,
        chain.leaf,
        chain.issuer,
        now=facts.now,
        floors=facts.settings.floors,
        purpose=Purpose.SERVED,
        allow_sha1=facts.settings.responders.allow_sha1_signature,
    )
    if not isinstance(found, Good):
        return None
    if facts.now >= looking.withdrawn_at(found.staple, looking.in_effect(facts)):
        return None
    told = facts.attempts.get(kept.fingerprint)
    revoked = None if told is None else told.revoked_as_of
    return found.staple if revoked is None or found.staple.this_update > revoked else None
