# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.staplecfg.stapling.plugins.modules.ocsp_stapling import awaiting, command_line, fatal, is_changed, result_of

PARAMS = {"state": "present", "reload": True, "offline": False, "config_only": False, "unscheduled": False, "force": False}
DUE = [{"outcome": "due", "chain": "PEM"}]
CHANGE = {"path": "/x", "kind": "config", "op": "modify", "before": None, "after": None}


@pytest.mark.parametrize(
    "params, check_mode, expected",
    [
        ({}, False, ("apply", [])),
        ({}, True, ("apply", ["--dry-run"])),
        ({"reload": False}, False, ("apply", ["--no-reload"])),
        ({"unscheduled": True, "force": True, "config_only": True}, False, ("apply", ["--config-only", "--unscheduled", "--force"])),
        ({"state": "absent"}, False, ("remove", [])),
        ({"state": "absent", "unscheduled": True, "force": True, "replace": ["x"]}, True, ("remove", ["--dry-run"])),
        ({"replace": ["resolver"], "sites": ["a"]}, False, ("apply", ["--site=a", "--replace=resolver"])),
    ],
)
def test_the_command_line(params, check_mode, expected):
    assert command_line({**PARAMS, **params}, check_mode) == expected


@pytest.mark.parametrize(
    "document, params, check_mode, expected",
    [
        ({"changed": False}, {}, False, False),
        ({"changed": True}, {}, False, True),
        ({"changed": False, "renewals": [{"outcome": "stored"}]}, {}, False, True),
        ({"changed": False, "renewals": [{"outcome": "unreachable"}]}, {}, False, False),
        ({"changes": []}, {}, True, False),
        ({"changes": [CHANGE]}, {}, True, True),
        ({"changes": [], "renewals": DUE}, {}, True, True),
        ({"changes": [], "renewals": DUE, "offline": True}, {}, True, False),
        ({"changes": [], "renewals": DUE}, {"config_only": True}, True, False),
        ({"changes": [], "renewals": [{"outcome": "not-due"}]}, {}, True, False),
    ],
)
def test_changed_is_honest(document, params, check_mode, expected):
    assert is_changed({"offline": False, **document}, {**PARAMS, **params}, check_mode) is expected


@pytest.mark.parametrize("step, reloaded", [("tested", False), ("reloaded", True), ("restarted", True)])
def test_what_is_returned_of_a_run(step, reloaded):
    document = {"changed": True, "changes": [CHANGE], "renewals": DUE, "steps": [{"name": step}], "version": "1.0.0"}

    result = result_of(document, PARAMS, False)

    assert result["reloaded"] is reloaded
    assert result["renewals"] == [{"outcome": "due"}]
    assert result["tool_version"] == "1.0.0"


@pytest.mark.parametrize(
    "offline, params, entries",
    [(False, {}, 1), (True, {}, 0), (False, {"config_only": True}, 0), (False, {"state": "absent"}, 0)],
)
def test_what_would_be_fetched_is_in_the_diff(offline, params, entries):
    document = {"offline": offline, "staples": [], "renewals": [{"certificate": "/x.pem", "fingerprint": "ff", "outcome": "due"}, {"outcome": "not-due"}]}

    assert len(awaiting(document, {**PARAMS, **params})) == entries


def finding(severity):
    return {"severity": severity, "file": "/x", "line": 1, "problem": severity, "hint": None, "rule": "r"}


@pytest.mark.parametrize(
    "document, words",
    [
        ({"findings": [finding("warning"), finding("note")], "status": 0}, ""),
        ({"findings": [finding("error"), finding("error")], "status": 1}, "/x:1: error [r]; /x:1: error [r]"),
        ({"findings": [finding("error")], "status": 0}, "/x:1: error [r]"),
        ({"findings": [], "status": 1}, "a Must-Staple certificate is left without a staple"),
    ],
)
def test_what_a_person_is_needed_for(document, words):
    assert fatal(document) == words
