"""Sites and staples as JSON members: decoded fields, never bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.cli.output.json import time
from staplecfg.model.chain import Chain
from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.probe import Missing, NotTestable, Refused, Served, Wrong
from staplecfg.model.verdict import Good, Rejected, Unreachable

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import SitePlan
    from staplecfg.model.probe import Probe
    from staplecfg.model.site import Site
    from staplecfg.model.staple import Staple
    from staplecfg.model.verdict import FetchResult


VERDICTS: dict[type, str] = {
    Served: "served",
    Missing: "missing",
    Wrong: "wrong",
    Refused: "refused",
    NotTestable: "not-testable",
}


def site(each: Site, plan: SitePlan | None = None) -> dict[str, object]:
    """Return a site, and what the plan does with it where there is one."""
    body: dict[str, object] = {
        "site": each.title,
        "names": list(each.names),
        "file": str(each.location.path),
        "line": each.location.line,
        "certificates": [certificate.text for certificate in each.certificates],
    }
    if plan is not None:
        body |= {
            "decision": plan.decision.value,
            "delivery": plan.delivery,
            "key": plan.key,
            "fingerprint": plan.fingerprint,
            "reason": plan.reason or None,
        }
    return body


def staples(facts: Facts) -> tuple[dict[str, object], ...]:
    """Return what the store holds for every certificate in `facts`, each certificate once."""
    chains = {
        chain.fingerprint: chain for chain in facts.chains.values() if isinstance(chain, Chain)
    }
    return tuple(
        stored(
            chain,
            facts.stored.get(chain.fingerprint, Stored(None)),
            facts.attempts.get(chain.fingerprint, Attempts(chain.fingerprint)),
            facts.now,
        )
        for chain in chains.values()
    )


def staple(each: Staple, now: datetime) -> dict[str, object]:
    """Return a judged staple as decoded fields."""
    return {
        "fingerprint": each.fingerprint,
        "serial": f"{each.serial:x}",
        "cert_status": each.status.value,
        "produced_at": time(each.produced_at),
        "this_update": time(each.this_update),
        "next_update": time(each.next_update),
        "expires": time(each.expires),
        "due": time(each.half_life),
        "share_used": round(each.share_used(now), 4),
        "freshness": each.freshness(now).value,
        "signer": each.signer,
        "size": len(each.der),
        "warnings": list(each.warnings),
    }


def stored(chain: Chain, stored: Stored, tries: Attempts, now: datetime) -> dict[str, object]:
    """Return what the store holds for the leaf of `chain`, and what asking has come to."""
    held = None if stored.staple is None else staple(stored.staple, now)
    return {
        "certificate": str(chain.path),
        "names": list(chain.names),
        "fingerprint": chain.fingerprint,
        "serial": f"{chain.serial:x}",
        "not_after": time(chain.not_after),
        "must_staple": chain.must_staple,
        "responders": list(chain.responders),
        "staple": held,
        "problem": stored.problem,
        "revoked_at": time(tries.revoked_at),
        "last_try": time(tries.last_try),
        "last_success": time(tries.last_success),
        "failures": tries.failures,
        "last_error": tries.error,
    }


def probe(each: Probe, now: datetime) -> dict[str, object]:
    """Return one handshake and what it showed."""
    verdict = each.verdict
    served = verdict.staple if isinstance(verdict, Served) else None
    return {
        "site": each.site,
        "name": each.name,
        "address": "" if each.target is None else str(each.target),
        "tls": "" if each.version is None else each.version.value,
        "verdict": VERDICTS[type(verdict)],
        "detail": getattr(verdict, "problem", ""),
        "staple": None if served is None else staple(served, now),
        "key": each.key or None,
    }


def judgement(result: FetchResult, now: datetime) -> dict[str, object]:
    """Return what came of asking or judging."""
    if isinstance(result, Good):
        body = staple(result.staple, now)
        return {
            "verdict": "good",
            "reason": None,
            "problem": None,
            "hint": None,
            "step": None,
            "staple": body,
        }
    return {
        "verdict": "rejected" if isinstance(result, Rejected) else "unreachable",
        "reason": result.reason.value if isinstance(result, Rejected) else None,
        "problem": result.problem,
        "hint": result.hint if isinstance(result, Unreachable) else None,
        "step": result.step if isinstance(result, Rejected) else None,
        "staple": None,
    }
