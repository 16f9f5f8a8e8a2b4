#!/usr/bin/python
# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ocsp_stapling
short_description: Configure OCSP stapling on nginx and Apache
version_added: 0.1.0
description:
  - Adds to each site what OCSP stapling takes, or takes exactly that out again.
  - Staples are fetched and judged before the server is told. The new configuration is tested, the server reloaded, and
    handshakes are made before and after; where they went worse, everything is put back and the task fails.
  - Sites whose certificate names no responder, that say C(ssl_stapling off) or C(SSLUseStapling off), or that look
    after a staple file or by C(MDStapling) after their staples themselves are left alone. RV(sites[].reason) says why.
  - Apache is told to ask C(staplecfg serve) on the host, which has to run always. Where systemd keeps the schedule, it is
    set up too; elsewhere RV(findings) says that it is not. Where Apache has no C(SSLStaplingCache), it gets one.
  - Unless O(unscheduled=true), what keeps staples fresh (a systemd timer or a cron table) and what withdraws
    them in time should that fail are set up too.
author:
  - The staplecfg engineers (@staplecfg)
extends_documentation_fragment:
  - staplecfg.stapling._attributes
  - staplecfg.stapling._selection
  - staplecfg.stapling._tool
attributes:
  check_mode:
    support: full
    details:
      - Nobody is asked in check mode. A staple that is missing or due counts as a change, since it would be fetched;
        where the responder then has nothing, the real run changes less than was foreseen.
  diff_mode:
    support: full
    details:
      - An entry for each file of the configuration and of the schedule, and for each staple what it says.
        What the tool notes for itself below O(state_dir) is in RV(changes) only.
  idempotent:
    support: full
    details:
      - Staples that have fallen due since the last run are renewed, which is a change.
options:
  state:
    description:
      - V(present) configures the selected sites, V(absent) takes out of them what was put in, to the byte.
    type: str
    choices:
      - present
      - absent
    default: present
  reload:
    description:
      - Reload the server where it is running and has to be told, and make handshakes before and after.
      - With V(false) files are written and tested, and take effect at the next reload, whoever makes it.
    type: bool
    default: true
  offline:
    description:
      - Use the staples that are on the host, and ask nobody.
      - For hosts without a way out, together with M(staplecfg.stapling.ocsp_staple).
    type: bool
    default: false
  config_only:
    description:
      - Write and test the configuration, and neither fetch, reload nor make handshakes.
    type: bool
    default: false
  unscheduled:
    description:
      - Something else renews the staples at least hourly, so no schedule is demanded.
    type: bool
    default: false
  replace:
    description:
      - Directives that may be replaced where they have another value than the one needed. Needs O(sites).
      - O(state=absent) gives the old values back.
    type: list
    elements: str
  force:
    description:
      - Edit files too that a panel or a configuration manager regenerates.
    type: bool
    default: false
  findings_fatal:
    description:
      - Whether the task fails where a finding is of severity C(error), or where a Must-Staple certificate is left without a staple.
      - What could be done has been done then all the same, and RV(ignore:changed) says so.
      - With V(false) there is a warning instead.
    type: bool
    default: true
seealso:
  - module: staplecfg.stapling.ocsp_stapling_info
  - module: staplecfg.stapling.ocsp_staple
"""

EXAMPLES = r"""
- name: Staple on all sites that can
  staplecfg.stapling.ocsp_stapling:

- name: Staple on the shops alone, without a schedule of the tool's own
  staplecfg.stapling.ocsp_stapling:
    sites:
      - "shop.*"
      - "*.shop.example"
    exclude:
      - staging.shop.example
    unscheduled: true

- name: Hand a local responder's answers to the server, for certificates in pairs
  staplecfg.stapling.ocsp_stapling:
    delivery: responder

- name: Put everything back
  staplecfg.stapling.ocsp_stapling:
    state: absent
"""

RETURN = r"""
changes:
  description: The files that were changed, or would be in check mode. What is in them is in the diff.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The file, links followed.
      type: str
      sample: /etc/nginx/sites-available/shop.example
    kind:
      description: What it is for.
      type: str
      sample: config
    op:
      description: What was done with it, V(create), V(modify) or V(delete).
      type: str
      sample: modify
sites:
  description: Every site of the server and what became of it.
  returned: always
  type: list
  elements: dict
  contains:
    site:
      description: Its name.
      type: str
      sample: shop.example
    names:
      description: All of its names.
      type: list
      elements: str
    file:
      description: Where its block stands.
      type: str
      sample: /etc/nginx/sites-enabled/shop.example
    line:
      description: The line of it.
      type: int
      sample: 1
    certificates:
      description: Its certificates, as they are configured.
      type: list
      elements: str
    decision:
      description: Either V(configured), V(skipped) or V(refused).
      type: str
      sample: configured
    reason:
      description: Why it was skipped or refused.
      type: str
    delivery:
      description: How staples reach the server.
      type: str
      sample: file
    key:
      description: The name of its directory in state.
      type: str
    fingerprint:
      description: SHA-256 of its certificate.
      type: str
staples:
  description: Every certificate in the server's configuration and the staple that the host holds for it.
  returned: always
  type: list
  elements: dict
  contains:
    certificate:
      description: The certificate's file.
      type: str
    fingerprint:
      description: SHA-256 of the certificate.
      type: str
    responders:
      description: Whom the certificate says to ask. Without any, it goes without a staple.
      type: list
      elements: str
    must_staple:
      description: Whether the certificate demands a staple (RFC 7633).
      type: bool
    staple:
      description: The staple as decoded fields, none where there is none.
      type: dict
    last_error:
      description: Why the last try to fetch one failed.
      type: str
renewals:
  description: What asking the responders came to, a row for each certificate; V(due) in check mode, where nobody is asked.
  returned: always
  type: list
  elements: dict
  contains:
    certificate:
      description: The certificate's file.
      type: str
    fingerprint:
      description: SHA-256 of the certificate.
      type: str
    outcome:
      description: One of V(stored), V(unchanged), V(not-due), V(rejected), V(unreachable), V(due).
      type: str
      sample: stored
    detail:
      description: The same in words.
      type: str
findings:
  description: What is wrong, where, and what to do about it.
  returned: always
  type: list
  elements: dict
reloaded:
  description: Whether the server was reloaded. Also where it was restarted, as Apache is with O(state=absent) when its stapling cache goes.
  returned: always
  type: bool
tool_version:
  description: The version of the tool on the host.
  returned: always
  type: str
  sample: 0.1.0
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.staplecfg.stapling.plugins.module_utils._diff import diff, renewed
from ansible_collections.staplecfg.stapling.plugins.module_utils._module import (
    SELECTION,
    TOOL,
    failed,
    flags,
    place,
    returned,
    runner,
    without_chains,
)
from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Trouble

OWN = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "reload": {"type": "bool", "default": True},
    "offline": {"type": "bool", "default": False},
    "config_only": {"type": "bool", "default": False},
    "unscheduled": {"type": "bool", "default": False},
    "replace": {"type": "list", "elements": "str"},
    "force": {"type": "bool", "default": False},
    "findings_fatal": {"type": "bool", "default": True},
}
ALWAYS = {"renewals": [], "reloaded": False}
"""Returned also by a run that came to nothing."""
EDITING = ("config_only", "unscheduled", "replace", "force")
"""Flags of apply that remove does not have."""


def command_line(params, check_mode):
    """Return the command and its words."""
    present = params["state"] == "present"
    words = flags(params, (*TOOL, *SELECTION, "offline", *(EDITING if present else ())))
    if not params["reload"]:
        words.append("--no-reload")
    if check_mode:
        words.append("--dry-run")
    return "apply" if present else "remove", words


def is_changed(document, params, check_mode):
    """Say whether anything on the host is other than it was, or would be."""
    if not check_mode:
        # A staple in the store alone is one that a local responder serves.
        return document["changed"] or _has(document, "stored")
    return bool(document["changes"]) or (_asks(params, document) and _has(document, "due"))


def awaiting(document, params):
    """Return the diff for the staples that a real run would ask for; only dry runs speak of what is due."""
    held = {each["fingerprint"]: each["staple"] for each in document["staples"]}
    return [
        renewed(each["certificate"], held.get(each["fingerprint"]), None)
        for each in document.get("renewals", [])
        if each["outcome"] == "due" and _asks(params, document)
    ]


def _asks(params, document):
    # The settings may forbid it, too.
    return params["state"] == "present" and not (document["offline"] or params["config_only"])


def _has(document, outcome):
    return any(each["outcome"] == outcome for each in document.get("renewals", []))


def result_of(document, params, check_mode):
    """Return the return values of a run that ended as it should."""
    result = returned(document)
    result["changed"] = is_changed(document, params, check_mode)
    result["renewals"] = without_chains(document.get("renewals", []))
    result["reloaded"] = any(step["name"] in ("reloaded", "restarted") for step in document.get("steps", []))
    return result


def fatal(document):
    """Return what a person is needed for, in words; empty where nobody is."""
    found = [place(each) for each in document["findings"] if each["severity"] == "error"]
    if document["status"] and not found:
        found.append("a Must-Staple certificate is left without a staple")
    return "; ".join(found)


def main():
    """Run apply or remove."""
    module = AnsibleModule(
        argument_spec={**TOOL, **SELECTION, **OWN},
        required_by={"replace": ["sites"]},
        supports_check_mode=True,
    )
    command, words = command_line(module.params, module.check_mode)
    tool = runner(module, ALWAYS)
    try:
        document = tool.run(command, *words)
    except Trouble as trouble:
        module.fail_json(msg=str(trouble), **ALWAYS, **failed(trouble.document))
    result = result_of(document, module.params, module.check_mode)
    if module._diff:
        result["diff"] = diff(document["changes"]) + awaiting(document, module.params)
    warnings = [place(each) for each in document["findings"] if each["severity"] == "warning"]
    for warning in (*document["warnings"], *warnings):
        module.warn(warning)
    problem = fatal(document)
    if problem and module.params["findings_fatal"]:
        module.fail_json(msg=problem, **result)
    if problem:
        module.warn(problem)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
