"""The local responder gives a server nothing that it could staple.

What: sites have the lines of the delivery `responder`, and `staplecfg serve`, asked
as their server asks it, does not answer, or does not know a certificate that the
store knows. It is asked where state remembers the server and the server runs, on
loopback alone, for two seconds at most; never with `--root` or `--offline`.

Why: a server that has a response staples it for a while, so nobody notices. When
that is used up, or after the next reload, nothing is stapled any more. Where the
certificate demands a staple (Must-Staple), visitors are turned away then, and the
finding is an error.

Fix: have it run always, and started before the server. With systemd:

    systemctl restart staplecfg-serve.service
    journalctl -u staplecfg-serve.service

Elsewhere whatever keeps programs running starts this, with the `--state-dir`,
`--listen` and `--settings` that `staplecfg apply` was given:

    staplecfg serve

Where another program has the port (`ss -ltnp`), choose one for `serve.listen` in
/etc/staplecfg/staplecfg.toml, and run `staplecfg apply`.
"""

from __future__ import annotations

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of
from staplecfg.model.finding import Severity
from staplecfg.model.heard import NOT_ASKED, NoAnswer, Stranger
from staplecfg.model.rule import Rule
from staplecfg.servers.asked_locally import address, asked_locally
from staplecfg.servers.local_responder import UNIT, url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site whose staples come from a responder that has none."""
    for site in facts.configuration.sites:
        setting = asked_locally(site, facts)
        chains = [chain for chain in chains_of(site, facts) if chain.responders]
        if setting is None or not chains:
            continue
        heard = facts.local_responders.get(setting.args[0], NOT_ASKED)
        if isinstance(heard, NoAnswer):
            said = f"gives no usable answer: {heard.problem}"
        elif isinstance(heard, Stranger):
            said = f"does not know the certificates of {facts.settings.state_dir}/store"
        else:
            continue
        at = address(setting.args[0])
        demanded = any(chain.must_staple for chain in chains)
        must = ", which this certificate demands (Must-Staple)," if demanded else ""
        problem = f"staples{must} come from the local responder at {at}, and that {said}"
        found = RULE.finding(setting.location, problem, _hint(at, facts), site)
        yield replace(found, severity=Severity.ERROR) if demanded else found


def _hint(at: str, facts: Facts) -> str:
    listen, state_dir = facts.settings.serve.listen, quote(str(facts.settings.state_dir))
    start = f"have `staplecfg serve --state-dir {state_dir} --listen {at}` run always"
    if any(unit.name == UNIT for unit in facts.record.units):
        start = f"run systemctl restart {UNIT}, and see journalctl -u {UNIT}"
    moved = address(url(listen)) != at
    other = f"; or run staplecfg apply, for the settings say {listen}" if moved else ""
    return f"{start}{other}; `ss -ltnp` says who else has the port"


RULE = Rule("nothing-answers", Severity.WARNING, __doc__ or "", check)
