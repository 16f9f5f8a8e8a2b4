"""Every rule that is no single server's own, and how rules are run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.checks import (
    certificate_expired,
    certificate_not_yet_valid,
    certificate_self_signed,
    certificate_unreadable,
    chain_incomplete,
    chain_order,
    chain_untrusted,
    configuration_trouble,
    delivery_misfit,
    generated_file,
    interrupted_run,
    issuer_unknown,
    must_staple_no_responder,
    must_staple_unmet,
    no_responder_url,
    nothing_answers,
    readers_disagree,
    responder_failing,
    responder_url_unusable,
    revoked,
    shared_file,
    staple_due,
    staple_expired,
    staple_expiring,
    staple_missing,
    staple_rejected,
    stapling_file_two_certificates,
    stapling_off,
    stapling_off_decided,
)
from staplecfg.checks.subjects import selected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.rule import Rule

GENERAL_RULES: tuple[Rule, ...] = (
    interrupted_run.RULE,
    configuration_trouble.RULE,
    readers_disagree.RULE,
    generated_file.RULE,
    shared_file.RULE,
    stapling_off.RULE,
    delivery_misfit.RULE,
    certificate_unreadable.RULE,
    certificate_expired.RULE,
    certificate_not_yet_valid.RULE,
    certificate_self_signed.RULE,
    chain_incomplete.RULE,
    chain_order.RULE,
    chain_untrusted.RULE,
    issuer_unknown.RULE,
    no_responder_url.RULE,
    responder_url_unusable.RULE,
    must_staple_no_responder.RULE,
    must_staple_unmet.RULE,
    stapling_off_decided.RULE,
    staple_missing.RULE,
    staple_due.RULE,
    staple_expiring.RULE,
    staple_expired.RULE,
    staple_rejected.RULE,
    stapling_file_two_certificates.RULE,
    revoked.RULE,
    responder_failing.RULE,
    nothing_answers.RULE,
)


def run(rules: Iterable[Rule], facts: Facts) -> tuple[Finding, ...]:
    """Return what `rules` find in `facts`, each finding once, by path and line.

    Only the sites that the settings select are looked at; what concerns a file
    and no site is always told.
    """
    chosen = tuple(s for s in facts.configuration.sites if selected(s, facts.settings))
    narrowed = replace(facts, configuration=replace(facts.configuration, sites=chosen))
    found = dict.fromkeys(finding for rule in rules for finding in rule.check(narrowed))
    return tuple(sorted(found, key=_place))


def _place(finding: Finding) -> tuple[bytes, int, str, str]:
    where = finding.location
    path = str(where.path).encode("utf-8", "surrogateescape")
    return path, where.line or 0, finding.rule, finding.problem
