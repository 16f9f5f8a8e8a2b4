# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Runner, Trouble

FINE = {"schema": 1, "changed": False}


def answering(status, out, err=""):
    calls = []

    def call(argv):
        calls.append(argv)
        return status, out if isinstance(out, str) else json.dumps(out), err

    return Runner("/opt/staplecfg/bin/staplecfg", call), calls


def test_a_run_is_one_call_for_json():
    tool, calls = answering(0, FINE)

    assert tool.run("apply", "--dry-run", "--site=*.example") == FINE
    assert calls == [["/opt/staplecfg/bin/staplecfg", "apply", "--dry-run", "--site=*.example", "--format=json"]]


def test_findings_are_no_trouble():
    tool, _calls = answering(1, FINE)

    assert tool.run("check") == FINE


ERROR = {"message": "no such directive", "file": "/etc/x", "line": 3, "state": "nothing was changed", "hint": "mend it"}


@pytest.mark.parametrize(
    "document, words",
    [
        ({"error": ERROR}, "/etc/x:3: no such directive (nothing was changed) (mend it)"),
        ({"error": {**ERROR, "line": None, "hint": None}}, "/etc/x: no such directive (nothing was changed)"),
        ({"error": {**ERROR, "file": None}}, "no such directive (nothing was changed) (mend it)"),
        ({"error": None, "runs": [{"error": None}, {"error": ERROR}]}, "/etc/x:3: no such directive (nothing was changed) (mend it)"),
        ({"error": None, "warnings": ["one", "two"]}, "staplecfg ended in 4: one; two"),
    ],
)
def test_an_error_is_told_in_the_tools_own_words(document, words):
    tool, _calls = answering(4, {**FINE, **document})

    with pytest.raises(Trouble) as caught:
        tool.run("apply")

    assert str(caught.value) == words
    assert caught.value.document["schema"] == 1


@pytest.mark.parametrize("out", ["", "hello", "[]", "{}", '{"version": 2}'])
def test_another_program_is_told_from_the_tool(out):
    tool, _calls = answering(0, out, "what it said")

    with pytest.raises(Trouble, match="without a JSON document.*what it said"):
        tool.run("apply")


def test_a_tool_whose_python_is_gone_is_told_apart_from_one_that_ran():
    def call(argv):
        raise FileNotFoundError(2, "No such file or directory", argv[0])

    with pytest.raises(Trouble, match="/opt/staplecfg/bin/staplecfg cannot be run: No such file.*makes its environment anew") as caught:
        Runner("/opt/staplecfg/bin/staplecfg", call).run("apply")

    assert caught.value.document == {}


def test_another_schema_is_not_guessed_at():
    tool, _calls = answering(0, {**FINE, "schema": 2})

    with pytest.raises(Trouble, match="schema 2 and this collection schema 1"):
        tool.run("apply")
