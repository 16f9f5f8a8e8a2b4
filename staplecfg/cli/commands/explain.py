"""explain: what a rule means, why it matters, how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks import explain
from staplecfg.checks.registry import GENERAL_RULES
from staplecfg.cli.options import add_frame
from staplecfg.cli.output.result import Result
from staplecfg.model.errors import UsageProblem
from staplecfg.planning.explanations import PLANNING_RULES
from staplecfg.servers.registry import SERVERS

if TYPE_CHECKING:
    import argparse

    from staplecfg.model.rule import Rule

EPILOG = "example:  staplecfg explain chain-incomplete"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the rule's name."""
    parser.add_argument(
        "rule", nargs="?", metavar="RULE", help="its id; none: a line for each rule"
    )
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Return the text of one rule, or a line for each."""
    servers = (rule for server in SERVERS.values() for rule in server.rules)
    rules = (*GENERAL_RULES, *servers, *PLANNING_RULES)
    if options.rule is None:
        return Result(
            lines=tuple(explain.overview(rules).splitlines()), extra={"rules": _json(rules)}
        )
    rule = explain.find(rules, options.rule)
    if rule is None:
        near = explain.suggestions(rules, options.rule)
        hint = f"did you mean {' or '.join(f'`{word}`' for word in near)}?" if near else None
        raise UsageProblem(
            f"no rule `{options.rule}`", hint=hint or "`staplecfg explain` lists them"
        )
    return Result(lines=tuple(explain.explain(rule).splitlines()), extra={"rules": _json((rule,))})


def _json(rules: tuple[Rule, ...]) -> list[dict[str, object]]:
    return [
        {"id": rule.id, "severity": rule.severity.value, "text": rule.text.strip()}
        for rule in rules
    ]
