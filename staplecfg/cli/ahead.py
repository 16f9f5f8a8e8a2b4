"""Staples for certificates that are yet to be deployed: in the store before the swap.

No configuration is read and none is changed; when the files have been swapped,
`warm --offline` finds the staple there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.applying.report import Steps
from staplecfg.applying.session import session
from staplecfg.checks.wording import moment
from staplecfg.cli.asking import rows_of
from staplecfg.cli.clock import clock
from staplecfg.cli.handed_in import handed_in, responses_of
from staplecfg.cli.leaf import chain_at
from staplecfg.cli.output import describe, renewals
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.result import Result
from staplecfg.loading import certificates
from staplecfg.loading.observe import record_of, store_of
from staplecfg.machine.disk import Disk
from staplecfg.model.errors import ExitStatus
from staplecfg.model.target import Target
from staplecfg.model.verdict import Good, Rejected
from staplecfg.planning import looking, targets
from staplecfg.planning.choose import askable
from staplecfg.planning.early import REMEDY, minutes
from staplecfg.staples.renew import Renewal, renew

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from staplecfg.applying.report import Step
    from staplecfg.cli.handed_in import Response
    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple
    from staplecfg.staples.store import Store


def run_ahead(
    options: argparse.Namespace,
    wanted: Settings,
    *,
    tell: Callable[[str], None],
    tell_step: Callable[[Step], None],
) -> Result:
    """Have a staple of each `--certificate` in the store; exit status 1 where there is none."""
    chains = [chain_at(Path(each), wanted) for each in options.certificates]
    responses = responses_of(options)
    store = store_of(wanted)
    margin = _margin(wanted)
    steps = Steps(tell_step)
    with session(wanted, purpose="warm", wait=60.0, steps=steps, tell=tell):
        chains = [_with_issuer(chain, store) for chain in chains]
        handed = handed_in(responses, chains, wanted, steps, together=_of_one_block(chains))
        fetched = _fetched(chains, store, wanted, force=options.force_ask, margin=margin)
    return _result(chains, responses, (*handed, *fetched), store, wanted, margin, steps)


def _margin(wanted: Settings) -> timedelta:
    """Return how long before its end a staple is not served any more, as servers are looked after.

    None at all where every server asks `staplecfg serve`, which looks at the end itself.
    """
    here = Disk(Path("/"))
    known = targets.load(here, wanted.state_dir)
    found = [each for each in known if isinstance(each, Target)]
    if found and all(each.served for each in found):
        return timedelta(0)
    return looking.of_machine(wanted, record_of(here, wanted), known).margin


def would_run_ahead(options: argparse.Namespace, wanted: Settings) -> Result:
    """Say which `--certificate` would be asked about; nothing is written, and no lock taken."""
    store = store_of(wanted)
    now = clock()
    chains = [_with_issuer(chain_at(Path(each), wanted), store) for each in options.certificates]
    standing = [
        (chain, store.load(chain, now), store.attempts(chain.fingerprint)) for chain in chains
    ]
    rows = rows_of(standing, _of_one_block(chains), now, wanted)
    return Result(
        lines=tuple(
            clean_line(f"{each['certificate']}: {each['outcome']}: {each['detail']}")
            for each in rows
        ),
        staples=tuple(describe.stored(*each, now) for each in standing),
        outcome="unchanged",
        extra={"renewals": rows},
    )


def _with_issuer(chain: Chain, store: Store) -> Chain:
    return chain if chain.issuer is not None else replace(chain, issuer=store.issuer(chain))


def _fetched(
    chains: Sequence[Chain],
    store: Store,
    wanted: Settings,
    *,
    force: bool,
    margin: timedelta,
) -> tuple[Renewal, ...]:
    if wanted.offline:
        return ()
    roots = certificates.trusted_roots(Disk(Path("/")), wanted.trust)
    now = clock()
    return renew(
        [(chain, certificates.private(chain, roots, now)) for chain in chains],
        store,
        clock=clock,
        settings=wanted.responders,
        floors=wanted.floors,
        force=force,
        margin=margin,
        together=_of_one_block(chains),
    )


def _of_one_block(chains: Sequence[Chain]) -> list[list[Chain]]:
    """Return those for the same names together: a block presents both, with one response."""
    groups: dict[frozenset[str], dict[str, Chain]] = {}
    for chain in chains:
        groups.setdefault(frozenset(chain.names), {})[chain.fingerprint] = chain
    return [list(group.values()) for group in groups.values() if len(group) > 1]


def _unserved(staple: Staple, margin: timedelta) -> str:
    return (
        f"a good staple, but it ends at {moment(staple.expires)} and is not served in its last"
        f" {minutes(margin)} min, for the next run may come as late; {REMEDY}"
    )


def _result(
    chains: Sequence[Chain],
    responses: Sequence[Response],
    done: Sequence[Renewal],
    store: Store,
    wanted: Settings,
    margin: timedelta,
    steps: Steps,
) -> Result:
    now = clock()
    chains = [_with_issuer(chain, store) for chain in chains]
    standing = [
        (chain, store.load(chain, now), store.attempts(chain.fingerprint)) for chain in chains
    ]
    lines: list[str] = []
    without = False
    for chain, stored, _ in standing:
        staple = stored.staple
        if staple is not None and staple.expires - margin <= now < staple.expires:
            lines.append(f"{chain.path}: {_unserved(staple, margin)}")
            without = True
        elif staple is not None and staple.expires > now:
            lines.append(f"{chain.path}: a staple good until {moment(staple.expires)}")
        elif not askable(chain, wanted) and not chain.must_staple:
            lines.append(f"{chain.path}: no responder to ask, so it goes without a staple")
        else:
            lines.append(f"{chain.path}: no staple; do not deploy it yet if it must not go without")
            without = True
    rejected = len(responses) > 0 and any(isinstance(each.outcome, Rejected) for each in done)
    changed = any(isinstance(each.outcome, Good) for each in done)
    return Result(
        status=ExitStatus.FINDINGS if without or rejected else ExitStatus.DONE,
        lines=tuple(clean_line(line) for line in lines),
        changed=changed,
        staples=tuple(describe.stored(*each, now) for each in standing),
        warnings=renewals.warnings(done),
        outcome="applied" if changed else "unchanged",
        extra={
            "steps": [
                {"name": step.name, "subject": step.subject, "detail": step.detail}
                for step in steps.done
            ],
            "renewals": [renewals.json(each) for each in done],
            "probes": [],
        },
    )
