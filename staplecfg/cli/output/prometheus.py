"""Status in Prometheus' text exposition format, version 0.0.4."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from staplecfg import __version__
from staplecfg.cli.output.clean import clean_line
from staplecfg.model.heard import Answers
from staplecfg.planning.attention import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from staplecfg.model.staple import Staple
    from staplecfg.planning.attention import InUse
    from staplecfg.planning.status import Status

METRICS: Mapping[str, str] = {
    "staplecfg_build_info": "Which staplecfg wrote this",
    "staplecfg_status_timestamp_seconds": "When this was written; alert where it grows old",
    "staplecfg_targets_unreadable": "Servers whose configuration could not be read",
    "staplecfg_target_running": "1 where the server's master process is running",
    "staplecfg_target_pending_files": "Files in state that the next warm would change",
    "staplecfg_target_local_responder_answers": "1 where the local responder answers for it",
    "staplecfg_staple_condition": "1 for the condition the staple is in, 0 for the others",
    "staplecfg_staple_attention": "1 where a person is needed",
    "staplecfg_staple_this_update_timestamp_seconds": "thisUpdate of the staple in the store",
    "staplecfg_staple_next_update_timestamp_seconds": "nextUpdate of the staple in the store",
    "staplecfg_staple_expires_timestamp_seconds": "When the staple may no longer be served",
    "staplecfg_staple_due_timestamp_seconds": "When the staple's renewal falls due",
    "staplecfg_staple_life_used_ratio": "Share of the staple's life that is used up",
    "staplecfg_staple_last_try_timestamp_seconds": "When a responder was last asked",
    "staplecfg_staple_last_success_timestamp_seconds": "When a responder last gave a good answer",
    "staplecfg_staple_consecutive_failures": "Failures since the last good answer",
    "staplecfg_staple_sites": "Sites that present the certificate",
    "staplecfg_certificate_revoked": "1 where the issuer has revoked the certificate",
    "staplecfg_certificate_must_staple": "1 where the certificate demands a staple (RFC 7633)",
    "staplecfg_certificate_not_after_timestamp_seconds": "When the certificate expires",
}
"""Every metric with its help; all are gauges."""


def text(targets: Sequence[Status], *, unreadable: int, now: datetime) -> str:
    """Return `targets` as metrics, those of one name together as the format demands.

    What there is not (no staple, never asked) has no sample.
    """
    samples: dict[str, list[str]] = defaultdict(list)
    _add(samples, "staplecfg_build_info", {"version": __version__}, 1)
    _add(samples, "staplecfg_status_timestamp_seconds", {}, now)
    _add(samples, "staplecfg_targets_unreadable", {}, unreadable)
    for target in targets:
        server = {
            "server": target.facts.installation.server,
            "config": str(target.facts.installation.config),
        }
        running = target.facts.running.master is not None
        _add(samples, "staplecfg_target_running", server, running)
        _add(samples, "staplecfg_target_pending_files", server, target.pending)
        heard = target.facts.local_responders.values()
        answers = all(isinstance(each, Answers) for each in heard) if heard else None
        _add(samples, "staplecfg_target_local_responder_answers", server, answers)
        for each in target.used:
            _certificate(samples, server, each, target.facts.now)
    lines: list[str] = []
    for name, help_text in METRICS.items():
        if name in samples:
            lines += [f"# HELP {name} {help_text}.", f"# TYPE {name} gauge", *samples[name]]
    return "\n".join(lines) + "\n"


def _certificate(
    samples: dict[str, list[str]], server: Mapping[str, str], each: InUse, now: datetime
) -> None:
    labels = {
        **server,
        "certificate": str(each.chain.path),
        "serial": f"{each.chain.serial:x}",
    }
    for condition in Condition:
        one = {**labels, "condition": condition.value}
        _add(samples, "staplecfg_staple_condition", one, each.condition is condition)
    for name, value in _values(each, now).items():
        _add(samples, name, labels, value)


def _values(each: InUse, now: datetime) -> dict[str, datetime | float | None]:
    tries = each.attempts
    return {
        **_times(each.stored.staple, now),
        "staplecfg_staple_attention": each.problem is not None,
        "staplecfg_staple_last_try_timestamp_seconds": tries.last_try,
        "staplecfg_staple_last_success_timestamp_seconds": tries.last_success,
        "staplecfg_staple_consecutive_failures": tries.failures,
        "staplecfg_staple_sites": len(each.sites),
        "staplecfg_certificate_revoked": each.condition is Condition.REVOKED,
        "staplecfg_certificate_must_staple": each.chain.must_staple,
        "staplecfg_certificate_not_after_timestamp_seconds": each.chain.not_after,
    }


def _times(staple: Staple | None, now: datetime) -> dict[str, datetime | float | None]:
    if staple is None:
        return {}
    return {
        "staplecfg_staple_this_update_timestamp_seconds": staple.this_update,
        "staplecfg_staple_next_update_timestamp_seconds": staple.next_update,
        "staplecfg_staple_expires_timestamp_seconds": staple.expires,
        "staplecfg_staple_due_timestamp_seconds": staple.half_life,
        "staplecfg_staple_life_used_ratio": staple.share_used(now),
    }


def _add(
    samples: dict[str, list[str]],
    name: str,
    labels: Mapping[str, str],
    value: datetime | float | None,
) -> None:
    if value is None:
        return
    number = float(value) if isinstance(value, bool | int | float) else value.timestamp()
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    samples[name].append(f"{name}{{{inside}}} {number!r}" if inside else f"{name} {number!r}")


def _escaped(text: str) -> str:
    return clean_line(text).replace("\\", "\\\\").replace('"', '\\"')
