"""Whether the local responder answers the servers of this machine that are told to ask it.

It is asked like any other responder, by the same code, and by one question: about
a certificate that the store knows, which whoever reads that store must know too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of, selected
from staplecfg.loading.observe import store_of
from staplecfg.machine.network import another_network
from staplecfg.model.heard import Answers, NoAnswer, Stranger
from staplecfg.model.settings import Responders
from staplecfg.model.target import Target
from staplecfg.model.verdict import Good, Reason, Rejected
from staplecfg.servers.asked_locally import asked_locally
from staplecfg.staples.answer import TRY_LATER, UNAUTHORIZED
from staplecfg.staples.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.heard import Heard

PATIENCE = timedelta(seconds=2)
"""For all that one responder is asked; mod_ssl gives it one second, and it takes milliseconds."""
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def with_local_responders(facts: Facts) -> Facts:
    """Return `facts` with what the local responders say that the selected sites ask.

    Nobody is asked where `expected` says that nothing need be there, nor about
    certificates that name no responder, for which there are no staples. Takes
    `PATIENCE` for each address at most, of which there is one as a rule.
    """
    asked = _asked(facts) if expected(facts) else {}
    return replace(facts, local_responders={url: _heard(url, asked[url], facts) for url in asked})


def expected(facts: Facts) -> bool:
    """Say whether the local responder must be running where we are.

    A checkout or an image holds the lines, too. So this machine's own state must
    remember the server, which runs, and on the same loopback as we.
    """
    settings, master = facts.settings, facts.running.master
    if settings.offline or settings.elsewhere or master is None or another_network(master):
        return False
    server, config = facts.installation.server, facts.installation.config
    return any(isinstance(each, Target) and each.is_for(server, config) for each in facts.targets)


def _asked(facts: Facts) -> Mapping[str, Sequence[Chain]]:
    """Return the certificates that there is something to ask about, by the URL that is asked."""
    found: dict[str, list[Chain]] = {}
    for site in facts.configuration.sites:
        setting = asked_locally(site, facts)
        if setting is not None and selected(site, facts.settings):
            for chain in chains_of(site, facts):
                if chain.responders and chain.issuer is not None:
                    found.setdefault(setting.args[0], []).append(chain)
    return found


def _heard(url: str, chains: Sequence[Chain], facts: Facts) -> Heard:
    store = store_of(facts.settings)
    known = next((each for each in chains if store.chain(each.fingerprint) is not None), None)
    chain = known or chains[0]
    result = fetch(
        chain,
        clock=lambda: facts.now,
        settings=Responders(
            allow_networks=LOOPBACK,
            override=dict.fromkeys(chain.responders, url),
            allow_sha1_signature=facts.settings.responders.allow_sha1_signature,
            total=PATIENCE,
            per_certificate=PATIENCE,
        ),
        floors=facts.settings.floors,
        private=False,
    )
    if isinstance(result, Good):
        return Answers()
    if not isinstance(result, Rejected):
        return NoAnswer(result.problem)
    if result.response_status == UNAUTHORIZED and known is not None:
        return Stranger()
    # What is good to its end may be too old for a new one; what is not there yet is no fault.
    fair = result.reason is Reason.TIME or result.response_status in {TRY_LATER, UNAUTHORIZED}
    return Answers() if fair else NoAnswer(result.problem)
