#!/usr/bin/python
# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ocsp_stapling_info
short_description: Tell how OCSP stapling stands on a host
version_added: 0.1.0
description:
  - Returns the server, its sites, their certificates and staples, and what is wrong with any of them.
  - Changes nothing and asks no responder. With O(probe=true) handshakes are made with the server itself.
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
      - This module does not modify state.
  diff_mode:
    support: N/A
    details:
      - This module does not modify state.
  idempotent:
    support: full
    details:
      - This module does not modify state.
options:
  probe:
    description:
      - Make full handshakes with every site, and see what staple each is served with.
    type: bool
    default: false
seealso:
  - module: staplecfg.stapling.ocsp_stapling
"""

EXAMPLES = r"""
- name: See how it stands
  staplecfg.stapling.ocsp_stapling_info:
    probe: true
  register: stapling

- name: Require that every site that can staple does
  ansible.builtin.assert:
    that:
      - not stapling.attention
      - stapling.probes | selectattr("verdict", "in", ["missing", "wrong", "refused"]) | length == 0

- name: List certificates without a responder
  ansible.builtin.debug:
    msg: "{{ stapling.staples | rejectattr('responders') | map(attribute='certificate') }}"
"""

RETURN = r"""
server:
  description: The server that was looked at.
  returned: always
  type: dict
  contains:
    name:
      description: Which it is.
      type: str
      sample: nginx
    version:
      description: Its version.
      type: str
      sample: 1.26.2
    config:
      description: Its main configuration file.
      type: str
      sample: /etc/nginx/nginx.conf
sites:
  description: Every selected site.
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
    line:
      description: The line of it.
      type: int
    certificates:
      description: Its certificates, as they are configured.
      type: list
      elements: str
staples:
  description: Every certificate in the configuration and the staple that the host holds for it.
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
    names:
      description: The names that the certificate is for.
      type: list
      elements: str
    serial:
      description: Its serial number, in hexadecimal.
      type: str
    not_after:
      description: When it ends.
      type: str
      sample: "2027-01-31T23:59:59Z"
    problem:
      description: What is wrong with it or with its staple, none where nothing is.
      type: str
    revoked_at:
      description: Since when it is revoked, none where it is not known to be.
      type: str
    last_try:
      description: When the host last asked, none where it never has.
      type: str
    last_success:
      description: When it last had an answer.
      type: str
    failures:
      description: How often it has failed in a row.
      type: int
    last_error:
      description: Why the last try failed.
      type: str
    staple:
      description: The staple as decoded fields, none where there is none.
      type: dict
      contains:
        this_update:
          description: Since when it holds.
          type: str
        next_update:
          description: Until when it holds.
          type: str
        serial:
          description: The certificate's serial number, in hexadecimal.
          type: str
        cert_status:
          description: Always V(good), or it is not kept.
          type: str
        expires:
          description: Until when it may be served.
          type: str
        due:
          description: When it is to be renewed.
          type: str
        freshness:
          description: One of V(fresh), V(due), V(expired).
          type: str
    condition:
      description:
        - Of certificates of sites that were configured.
        - One of V(fresh), V(due), V(expiring), V(expired), V(missing), V(revoked), V(no-responder).
      type: str
    attention:
      description: What a person is needed for, of certificates of sites that were configured.
      type: str
targets:
  description: The servers on the host that the tool looks after.
  returned: always
  type: list
  elements: dict
findings:
  description: What is wrong, where, and what to do about it.
  returned: always
  type: list
  elements: dict
  contains:
    rule:
      description: The rule; C(staplecfg explain RULE) says more.
      type: str
      sample: staple-missing
    severity:
      description: Either V(error), V(warning) or V(note).
      type: str
    file:
      description: Where.
      type: str
    line:
      description: The line of it.
      type: int
    problem:
      description: What is wrong.
      type: str
    hint:
      description: What to do.
      type: str
    site:
      description: The site it is about.
      type: str
attention:
  description: Whether a person is needed; for an error, or for a staple that could not be renewed.
  returned: always
  type: bool
probes:
  description: The handshakes that were made; none without O(probe=true).
  returned: always
  type: list
  elements: dict
  contains:
    site:
      description: With which site.
      type: str
    tls:
      description: The version of TLS.
      type: str
      sample: TLSv1.3
    verdict:
      description: One of V(served), V(missing), V(wrong), V(refused), V(not-testable).
      type: str
    detail:
      description: More of it.
      type: str
tool_version:
  description: The version of the tool on the host.
  returned: always
  type: str
  sample: 0.1.0
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.staplecfg.stapling.plugins.module_utils._module import SELECTION, TOOL, failed, flags, runner
from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Trouble

NAMES = tuple(name for name in (*TOOL, *SELECTION))
CONDITION = ("condition", "attention", "sites")
"""What status knows of a certificate and check does not."""


ALWAYS = {"server": None, "targets": [], "attention": True, "probes": []}
"""Returned also by a run that came to nothing."""


def told(document):
    """Return the return values of a run that ended in trouble."""
    return {name: value for name, value in failed(document).items() if name != "changes"}


def together(check, status, probe):
    """Return the return values that the three documents make."""
    in_use = {each["fingerprint"]: each for each in status["staples"]}
    staples = [
        {**each, **{name: in_use.get(each["fingerprint"], {}).get(name) for name in CONDITION}}
        for each in check["staples"]
    ]
    return {
        "changed": False,
        "server": check["server"],
        "sites": check["sites"],
        "staples": staples,
        "targets": status.get("targets", []),
        "findings": check["findings"],
        "attention": bool(check["status"] or status["status"]),
        "probes": probe.get("probes", []),
        "tool_version": check["version"],
    }


def main():
    """Run check and status, and probe where it is asked for."""
    module = AnsibleModule(
        argument_spec={**TOOL, **SELECTION, "probe": {"type": "bool", "default": False}},
        supports_check_mode=True,
    )
    words = flags(module.params, NAMES)
    tool = runner(module, ALWAYS)
    try:
        check = tool.run("check", *words)
        status = tool.run("status", *words)
        probe = tool.run("probe", *words) if module.params["probe"] else {}
    except Trouble as trouble:
        module.fail_json(msg=str(trouble), **ALWAYS, **told(trouble.document))
    module.exit_json(**together(check, status, probe))


if __name__ == "__main__":
    main()
