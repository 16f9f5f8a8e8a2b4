# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import sys

import pytest

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar

from ansible_collections.staplecfg.stapling.plugins.action.ocsp_staple import ActionModule

STAPLE = {"this_update": "2001-01-01T00:00:00Z", "due": "2099-01-01T00:00:00Z", "expires": "2099-01-02T00:00:00Z", "freshness": "due"}
ROW = {"certificate": "/x.pem", "fingerprint": "ff", "responders": ["http://r"], "must_staple": False, "revoked_at": None, "staple": None}
DUE = {"certificate": "/x.pem", "fingerprint": "ff", "outcome": "due", "detail": "there is none", "chain": "PEM"}
STORED = {"certificate": "/x.pem", "fingerprint": "ff", "outcome": "stored", "detail": "good until 2099"}

TOOL = """\
import json, sys
chain = open(sys.argv[2]).read()
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
judgement = {{"staple": None, "reason": None, **{judgement!r}}}
if judgement["verdict"] == "good":
    with open(sys.argv[3].partition("=")[2], "wb") as file:
        file.write(b"der of " + chain.encode())
print(json.dumps({{"schema": 1, "judgement": judgement}}))
"""
GOOD = {"verdict": "good", "problem": None, "staple": {**STAPLE, "this_update": "2002-01-01T00:00:00Z"}}
DOWN = {"verdict": "unreachable", "problem": "it is down"}
BAD = {"verdict": "rejected", "problem": "it is signed by nobody", "reason": "signature"}
REVOKED = {"verdict": "rejected", "problem": "it is revoked", "reason": "revoked"}


class Shell:
    tmpdir = "/tmp"


class Connection:
    _shell = Shell()


class Action(ActionModule):
    """The plugin as it is, but for the host: it answers with what it is given, and what it was told is kept."""

    def hears(self, *answers):
        self.answers, self.told = list(answers), []
        return self

    def _execute_module(self, module_name=None, module_args=None, task_vars=None, **_others):
        self.told.append(module_args)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return json.loads(json.dumps(answer))


@pytest.fixture(name="node")
def _node(tmp_path):
    return Node(tmp_path)


class Node:
    """A control node: its tool, what it was asked, and its cache."""

    def __init__(self, directory):
        self.directory = directory

    def plays(self, *answers, judgement=None, check_mode=False, **options):
        """Run the task for a host with these answers, and return the result and the plugin."""
        program = self.directory / "staplecfg"
        body = TOOL.format(log=str(self.directory / "log"), judgement=judgement or GOOD)
        program.write_text(f"#!{sys.executable}\n{body}")
        program.chmod(0o755)
        task = Task()
        task.action = "staplecfg.stapling.ocsp_staple"
        task.args = {"controller_executable": str(program), "controller_cache": str(self.directory / "cache"), **options}
        task.check_mode, task.async_val, task.diff = check_mode, 0, False
        loader = DataLoader()
        action = Action(task, Connection(), PlayContext(), loader, Templar(loader=loader), None).hears(*answers)
        return action.run(task_vars={}), action

    def asked(self):
        """Return the words of each call of the tool."""
        log = self.directory / "log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def answer(renewals, rows=None, **others):
    rows = [{**ROW, "fingerprint": each["fingerprint"]} for each in renewals] if rows is None else rows
    return {"changed": False, "renewals": renewals, "staples": rows, "invocation": {"module_args": {}}, **others}


def handed(action):
    return [base64.b64decode(each) for each in action.told[1]["responses"]]


def test_what_is_not_due_is_one_run_and_no_question(node):
    result, action = node.plays(answer([{**STORED, "outcome": "not-due"}], [{**ROW, "staple": STAPLE}]))

    assert (result["changed"], result["fetched"], len(action.told), node.asked()) == (False, [], 1, [])
    assert not result.get("failed")


def test_what_is_due_is_asked_for_and_handed_over(node):
    after = answer([STORED], [{**ROW, "staple": STAPLE}], changed=True, invocation={"module_args": {"responses": ["long"]}})
    result, action = node.plays(answer([DUE]), after)

    assert handed(action) == [b"der of PEM"]
    assert (result["changed"], result["fetched"], result["renewals"]) == (True, ["ff"], [STORED])
    assert result["invocation"] == {"module_args": {}}
    assert not result.get("failed")


def test_another_host_with_the_same_certificate_is_no_second_question(node):
    after = answer([STORED], [{**ROW, "staple": STAPLE}], changed=True)
    node.plays(answer([DUE]), after)
    result, action = node.plays(answer([DUE]), after)

    assert handed(action) == [b"der of PEM"]
    assert (result["fetched"], len(node.asked())) == ([], 1)


@pytest.mark.parametrize("how", [{"check_mode": True}, {"fetch_on": "host"}, {"responses": ["eA=="]}])
def test_where_the_control_node_is_not_to_ask_it_does_not(node, how):
    result, action = node.plays(answer([DUE], changed=True), **how)

    assert (len(action.told), node.asked()) == (1, [])
    assert result["renewals"] == [{name: value for name, value in DUE.items() if name != "chain"}]
    assert result["changed"]


def test_a_failed_module_has_failed_and_says_all_that_it_always_says(node):
    result, _action = node.plays({"failed": True, "msg": "MODULE FAILURE", "changed": False})

    assert (result["failed"], result["msg"]) == (True, "MODULE FAILURE")
    assert [result[name] for name in ("changes", "renewals", "staples", "fetched", "findings", "sites")] == [[]] * 6


def test_an_unreachable_host_is_unreachable(node):
    with pytest.raises(AnsibleConnectionFailure):
        node.plays(AnsibleConnectionFailure("no route"))


def test_an_option_that_makes_no_sense_is_refused_before_the_host_is_troubled(node):
    with pytest.raises(AnsibleActionFail, match="certificate"):
        node.plays(path="/x.der")


def test_a_second_run_that_fails_loses_nothing_of_the_first(node):
    looked = answer([DUE], changed=True, diff=[{"before": "mode"}])
    result, _action = node.plays(looked, {"failed": True, "changed": False, "msg": "disk full", "renewals": [], "diff": []})

    assert (result["failed"], result["msg"], result["changed"], result["fetched"]) == (True, "disk full", True, ["ff"])
    assert result["diff"] == [{"before": "mode"}]
    assert [each["fingerprint"] for each in result["renewals"]] == ["ff"]


@pytest.mark.parametrize("judgement, outcome", [(DOWN, "unreachable"), (BAD, "rejected"), (REVOKED, "rejected")])
def test_a_host_that_is_left_without_fails(node, judgement, outcome):
    result, action = node.plays(answer([DUE]), judgement=judgement)

    (row,) = result["renewals"]
    assert (row["outcome"], row["revoked"], "chain" in row) == (outcome, judgement is REVOKED, False)
    assert (result["failed"], len(action.told)) == (True, 1)
    assert ("is revoked" if judgement is REVOKED else judgement["problem"]) in result["msg"]


def test_where_none_is_required_that_is_a_warning(node):
    result, _action = node.plays(answer([DUE]), judgement=DOWN, required=False)

    assert not result.get("failed")
    assert [each for each in result["warnings"] if "has no staple that may be served" in each]


def test_a_dead_responder_is_a_warning_where_the_host_has_one_that_is_good(node):
    result, _action = node.plays(answer([DUE], [{**ROW, "staple": STAPLE}]), judgement=DOWN)

    assert not result.get("failed")
    assert result["warnings"] == ["/x.pem: it is down; the staple on the host is good until 2099-01-02T00:00:00Z"]


def test_a_failure_that_is_remembered_says_that_it_is(node):
    node.plays(answer([DUE]), judgement=DOWN)
    result, _action = node.plays(answer([DUE]), judgement=GOOD)

    assert (result["failed"], result["fetched"]) == (True, [])
    assert "it is down (remembered; asked again after" in result["msg"]


def test_a_control_node_without_the_tool_says_so(node):
    result, _action = node.plays(answer([DUE]), controller_executable="/nowhere/staplecfg")

    assert (result["failed"], result["fetched"]) == (True, [])
    assert "on the control node: /nowhere/staplecfg" in result["msg"]
    assert "chain" not in result["renewals"][0]


def without(row, name):
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize(
    "hostile",
    [
        {"renewals": "abc", "staples": []},
        {"renewals": [1], "staples": []},
        {"renewals": [DUE]},
        {"renewals": [DUE], "staples": {}},
        answer([{**DUE, "fingerprint": ["ff"]}], []),
        answer([{**DUE, "chain": ["PEM"]}]),
        answer([{**DUE, "chain": "\ud800"}]),
        answer([without(DUE, "certificate")]),
        answer([DUE], [{**ROW, "staple": "fresh"}]),
        answer([DUE], [{**ROW, "staple": {**STAPLE, "this_update": "yesterday"}}]),
        answer([DUE], [{**ROW, "staple": {**STAPLE, "this_update": None}}]),
        answer([DUE], [{**ROW, "responders": [{}]}]),
        answer([DUE], [without(ROW, "responders")]),
        answer([{**DUE, "beside": "ee"}]),
        answer([{**DUE, "beside": [1]}]),
        answer([{**DUE, "beside": ["ee"]}]),
        answer([{**DUE, "beside": ["ee"]}, {**DUE, "fingerprint": "ee"}]),
    ],
)
def test_an_answer_that_makes_no_sense_is_said_to_make_none(node, hostile):
    result, action = node.plays(hostile)

    assert (result["failed"], result["changed"], node.asked(), len(action.told)) == (True, False, [], 1)
    assert "makes no sense" in result["msg"]
    assert (result["renewals"], result["staples"]) == ([], [])


def of_one_block():
    """Return what a host says of two certificates that want one response."""
    both = [{**DUE, "fingerprint": each, "chain": f"PEM {each}"} for each in ("ee", "ff")]
    return [{**each, "beside": [other["fingerprint"]]} for each, other in zip(both, reversed(both))]


def test_what_goes_together_is_asked_for_at_once(node):
    due = of_one_block()
    stored = [{**STORED, "fingerprint": each["fingerprint"]} for each in due]
    rows = [{**ROW, "fingerprint": each["fingerprint"], "staple": STAPLE} for each in due]
    result, action = node.plays(answer(due), answer(stored, rows, changed=True))

    assert handed(action) == [b"der of PEM ee"]
    assert (len(node.asked()), result["fetched"], result["renewals"]) == (1, ["ee", "ff"], stored)
    assert [word.partition("=")[0] for word in node.asked()[0] if word.startswith("--beside")] == ["--beside"]


def test_in_check_mode_the_host_says_of_it_what_it_says_of_others(node):
    result, _action = node.plays(answer(of_one_block(), changed=True), check_mode=True)

    assert [set(each) for each in result["renewals"]] == [{"certificate", "fingerprint", "outcome", "detail"}] * 2


def test_so_it_is_with_the_second_answer(node):
    result, _action = node.plays(answer([DUE]), {"changed": True, "renewals": [1], "staples": []})

    assert result["failed"]
    assert "makes no sense" in result["msg"]


def test_certificates_beyond_measure_are_not_asked_about(node):
    result, _action = node.plays(answer([{**DUE, "chain": "x" * 70000}]))

    assert (result["failed"], node.asked()) == (True, [])
    assert "at most" in result["msg"]


def many(number, responder):
    due = [{**DUE, "fingerprint": str(each), "chain": f"PEM {each}"} for each in range(number)]
    return answer(due, [{**ROW, "fingerprint": each["fingerprint"], "responders": [responder(each)]} for each in due])


def test_a_responder_that_is_silent_is_asked_about_three_certificates_and_others_about_theirs(node):
    def responder(each):
        return "http://other" if each["fingerprint"] == "5" else "http://dead"

    result, _action = node.plays(many(6, responder), judgement=DOWN, required=False)

    assert result["fetched"] == ["0", "1", "2", "5"]
    assert [each["outcome"] for each in result["renewals"]] == ["unreachable"] * 3 + ["due"] * 2 + ["unreachable"]
    assert "nobody was asked: its responder has just not answered" in result["renewals"][3]["detail"]


def test_what_a_host_says_is_not_a_template(node):
    name = "{{ lookup('pipe', 'id') }}"
    result, _action = node.plays(answer([{**DUE, "certificate": name}]), judgement=DOWN)

    assert result["msg"].startswith(name)
