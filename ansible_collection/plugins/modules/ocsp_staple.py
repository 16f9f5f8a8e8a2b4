#!/usr/bin/python
# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ocsp_staple
short_description: Have a fresh, judged OCSP staple on the host
version_added: 0.1.0
description:
  - By default, the control node asks the responder, once for each certificate however many hosts share it, and hands
    the answer to each host. Hosts need no way out.
  - Every answer is judged on the control node, and again on each host, which hands none to a server
    that is wrong, expired, or worse than what it has.
  - Asks only where a staple is missing or past half of its life, as its own times say.
  - 'Three ways of use: without O(certificate), for all certificates that M(staplecfg.stapling.ocsp_stapling) would
    configure with the same options, and the server is reloaded where it must re-read; with O(certificate), for
    one that is yet to be deployed, into the store below O(state_dir); with O(certificate) and O(path), into a file for
    whatever else serves staples.'
author:
  - The staplecfg engineers (@staplecfg)
extends_documentation_fragment:
  - ansible.builtin.files
  - staplecfg.stapling._attributes
  - staplecfg.stapling._attributes.action
  - staplecfg.stapling._selection
  - staplecfg.stapling._tool
attributes:
  action:
    support: full
  async:
    support: none
  check_mode:
    support: full
    details:
      - Nobody is asked in check mode. A staple that is missing or due counts as a change, since it would be fetched.
      - What O(responses) would do to a file (O(path)) is tried out on a copy. Without O(path) they are not looked at
        in check mode, and what is due counts.
  diff_mode:
    support: full
    details:
      - For each staple what it says. In check mode what will be fetched is not known, and is not shown.
      - Of a file that was there also its mode and owner, where they change.
  idempotent:
    support: full
    details:
      - What is fresh is not asked for again; half of a staple's life is its own matter, not that of a file's age.
options:
  certificate:
    description:
      - PEM file on the host, the certificate first, then its chain.
    type: path
  issuer:
    description:
      - PEM file on the host with the issuer, where O(certificate) lacks it. Only with O(path).
    type: path
  path:
    description:
      - The file on the host for the staple (DER). Its directory has to be there.
      - O(mode), O(owner), O(group), O(attributes) and the SELinux options are this file's, and need it.
      - A file that holds no OCSP response is never overwritten.
    type: path
    aliases:
      - dest
  fetch_on:
    description:
      - Who asks the responder.
      - With V(host) and without O(certificate), only for sites that are configured already;
        M(staplecfg.stapling.ocsp_stapling) asks for those that it configures.
    type: str
    choices:
      - controller
      - host
    default: controller
  responses:
    description:
      - OCSP responses (DER, base64) that you have from elsewhere. Then nobody is asked.
      - With O(path) exactly one.
      - The control node hands over what it has fetched by this option.
    type: list
    elements: str
  required:
    description:
      - Whether the task fails where a certificate that names a responder is left without a staple that
        may be served, or is revoked. As long as the one on the host is good, a dead responder is a warning.
      - With V(false) there is always only a warning.
    type: bool
    default: true
  reload:
    description:
      - Reload the server where it is running and has to be told.
      - With V(false) files are written and tested, and take effect at the next reload, whoever makes it.
    type: bool
    default: true
  controller_executable:
    description:
      - The C(staplecfg) program on the control node.
      - Without it, C(/opt/staplecfg/bin/staplecfg) and E(PATH) are looked at.
    type: path
  controller_settings:
    description:
      - Settings file (TOML) on the control node, as O(settings) is on the host.
    type: path
  controller_trust:
    description:
      - PEM files on the control node, as O(trust) are on the host.
    type: list
    elements: path
  controller_cache:
    description:
      - Directory on the control node in which fetched staples are kept, private to the user who runs Ansible.
      - Without it, C(staplecfg/ansible) below E(XDG_CACHE_HOME), or below C(~/.cache).
    type: path
notes:
  - O(allow_networks) and O(proxy) hold for whoever asks, so here for the control node too.
  - A host tells the control node which certificate to ask about, and the certificate names the responder. The control
    node connects to public addresses that way, and to private ones where the certificate's chain ends in one of
    O(controller_trust). To addresses in O(allow_networks), whatever they are, any certificate of any host may lead it,
    so name there no more than the responders' own. Loopback, link-local and metadata addresses are asked only if they are named there.
  - For one host, a task asks 1000 times at most, goes on for 10 minutes without an answer at most, and
    leaves alone a responder that has not answered about 3 certificates. The next run asks about the others.
  - A failed answer is remembered for five minutes and a good one that is past half of its life for an hour,
    so that a thousand hosts do not each wait for the same dead responder. What was asked with other O(controller_settings),
    O(controller_trust), O(allow_networks) or O(proxy) is asked again.
  - The keyword C(environment) is for the host; the control node asks in the environment of Ansible itself.
  - O(unsafe_writes) has no effect; files are replaced in one step.
  - A block of nginx with two certificates needs one response about both of them. Whoever asks, asks for that one first,
    and about each alone where the responder does not give it, which is tried again when one of them falls due.
    Such a block goes without a staple unless it has O(delivery=responder).
seealso:
  - module: staplecfg.stapling.ocsp_stapling
"""

EXAMPLES = r"""
- name: Fetch each staple once, on the control node, and put it to use on every host
  staplecfg.stapling.ocsp_staple:

- name: Configure the hosts with it, which have no way out themselves
  staplecfg.stapling.ocsp_stapling:
    offline: true

- name: Have a staple for a certificate before it is deployed
  staplecfg.stapling.ocsp_staple:
    certificate: /etc/ssl/new/fullchain.pem

- name: Keep a staple beside a certificate, for a server of another make
  staplecfg.stapling.ocsp_staple:
    certificate: /etc/haproxy/certs/shop.pem
    path: /etc/haproxy/certs/shop.pem.ocsp
    mode: "0644"
  notify: Reload HAProxy

- name: Hand in a response that was fetched by other means
  staplecfg.stapling.ocsp_staple:
    responses:
      - "{{ lookup('ansible.builtin.file', 'shop.der.b64') }}"
"""

RETURN = r"""
changes:
  description: The files that were changed. What is in them is in the diff.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The file, links followed.
      type: str
      sample: /etc/haproxy/certs/shop.pem.ocsp
    kind:
      description: What it is for.
      type: str
      sample: staple
    op:
      description: What was done with it, V(create), V(modify) or V(delete).
      type: str
      sample: create
renewals:
  description: What came of each certificate. V(due) where nobody was asked, in check mode, or the answer was none.
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
    revoked:
      description: Whether the responder said that the certificate is revoked. Only where the control node asked in vain.
      type: bool
      returned: when no good answer was to be had
staples:
  description: Certificates and the staple that the host holds for each.
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
fetched:
  description: SHA-256 of the certificates about which this task asked a responder; not those that another host's had asked about.
  returned: always
  type: list
  elements: str
findings:
  description: What is wrong with the server's configuration, where, and what to do about it.
  returned: always
  type: list
  elements: dict
sites:
  description: Every site of the server, where the server was looked at.
  returned: always
  type: list
  elements: dict
reloaded:
  description: Whether the server was reloaded.
  returned: always
  type: bool
tool_version:
  description: The version of the tool on the host.
  returned: always
  type: str
  sample: 0.1.0
"""

import base64
import binascii
import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.staplecfg.stapling.plugins.module_utils._diff import renewed
from ansible_collections.staplecfg.stapling.plugins.module_utils._module import SELECTION, TOOL, failed, flags, returned, runner
from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Trouble
from ansible_collections.staplecfg.stapling.plugins.module_utils._staples import ALWAYS, OWN, REQUIRED_BY, lacking, problem_of


class IntoFile:
    """A staple into a file of its own; no server is needed."""

    def __init__(self, params):
        self._words = [params["certificate"], *flags(params, (*TOOL, "issuer"))]
        self._path = params["path"]
        self._words.append(f"--output={self._path}")

    def look(self):
        """Return the command line that says what is due and changes nothing."""
        return ["fetch", *self._words, "--if-due", "--dry-run"]

    def ask(self):
        """Return the command line that asks for what is due."""
        return ["fetch", *self._words, "--if-due"]

    def hand_in(self, files):
        """Return the command line that hands over the response in the only file."""
        if len(files) != 1:
            raise ValueError(f"responses: with path it takes one, and there are {len(files)}")
        return ["fetch", *self._words, f"--response={files[0]}"]

    def try_out(self, files, directory):
        """Return the command line that does to a copy what ``hand_in`` would do to the file."""
        copy = os.path.join(directory, "copy.der")
        if os.path.exists(self._path):
            shutil.copyfile(self._path, copy)
        return [f"--output={copy}" if word == self._words[-1] else word for word in self.hand_in(files)]


class Ahead:
    """A staple into the store, for a certificate that is yet to be deployed."""

    def __init__(self, params):
        self._words = [f"--certificate={params['certificate']}", *flags(params, (*TOOL, *SELECTION))]

    def look(self):
        """Return the command line that says what is due and changes nothing."""
        return ["warm", *self._words, "--dry-run"]

    def ask(self):
        """Return the command line that asks for what is due."""
        return ["warm", *self._words]

    def hand_in(self, files):
        """Return the command line that hands over the responses in the files."""
        return ["warm", *self._words, "--offline", *(f"--response={file}" for file in files)]


class InUse:
    """Staples for a server's certificates, into the store and to the server."""

    def __init__(self, params):
        self._words = flags(params, (*TOOL, *SELECTION))
        self._manner = [] if params["reload"] else ["--no-reload"]

    def look(self):
        """Return the command line that says what is due and changes nothing."""
        # What renews them is not asked here.
        return ["apply", *self._words, "--unscheduled", "--dry-run"]

    def ask(self):
        """Return the command line that asks for what is due."""
        return ["warm", *self._words, *self._manner]

    def hand_in(self, files):
        """Return the command line that hands over the responses in the files."""
        return ["warm", *self._words, *self._manner, "--offline", *(f"--response={file}" for file in files)]


def way_of(params):
    """Return the way of use that the options make."""
    if params["path"] is not None:
        return IntoFile(params)
    return InUse(params) if params["certificate"] is None else Ahead(params)


def decoded(responses):
    """Return the responses as bytes; raises ValueError for what is no base64."""
    found = []
    for number, each in enumerate(responses, 1):
        try:
            found.append(base64.b64decode("".join(each.split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"responses: number {number} is no base64: {error}") from None
    return found


def written(responses, directory):
    """Write the responses into files in the directory and return their paths."""
    files = []
    for number, der in enumerate(responses):
        files.append(os.path.join(directory, f"{number}.der"))
        with open(files[-1], "wb") as file:
            file.write(der)
    return files


def due(document):
    """Return the renewals of a document that nobody was asked for and somebody should be."""
    return [each for each in document.get("renewals", []) if each["outcome"] == "due"]


def staples_of(document):
    """Return the staples that a document tells of, by certificate."""
    return {each["fingerprint"]: each["staple"] for each in document["staples"]}


def diff_of(result, before, after, path=None):
    """Return an entry for each staple that is new, or would be."""
    news = {"stored": after, "due": {}}
    return [
        renewed(path or each["certificate"], before.get(each["fingerprint"]), news[each["outcome"]].get(each["fingerprint"]))
        for each in result["renewals"]
        if each["outcome"] in news
    ]


def result_of(document, looked):
    """Return the return values of a run that ended as it should."""
    result = returned(document)
    renewals = document.get("renewals")
    result["renewals"] = [_judged(document)] if renewals is None else renewals
    stored = [each["fingerprint"] for each in result["renewals"] if each["outcome"] == "stored"]
    result["changed"] = document["changed"] or bool(stored)
    result["reloaded"] = any(step["name"] in ("reloaded", "restarted") for step in document.get("steps", []))
    if looked:
        result["changes"] = []
    return result


def _judged(document):
    """Return as a renewal what came of asking, where the document is about a single response."""
    about = document["staples"][0]
    judgement = document["judgement"]
    outcome = judgement["verdict"]
    if outcome == "good":
        outcome = "stored" if document["changed"] else "unchanged"
    return {
        "certificate": about["certificate"],
        "fingerprint": about["fingerprint"],
        "outcome": outcome,
        "detail": problem_of(judgement) or f"good until {judgement['staple']['expires']}",
    }


def problems(result):
    """Return what came of certificates for which there was no good answer, as warnings."""
    return [
        f"{each['certificate']}: {each['detail']}"
        for each in result["renewals"]
        if each["outcome"] in ("rejected", "unreachable")
    ]


def manner_of(params, check_mode):
    """Return what a run does: "look", "ask", "hand_in", or "try_out"."""
    if params["responses"] is None:
        return "look" if check_mode or params["fetch_on"] == "controller" else "ask"
    if check_mode:
        # Of one response it is known what it says, so what it would do can be tried out on a copy.
        return "look" if params["path"] is None else "try_out"
    return "hand_in"


def ran(tool, way, manner, responses, directory, compare):
    """Return the documents of looking, None where that was not needed, and of the run itself.

    Raises Trouble, and ValueError for responses that are none. Files are made in ``directory``.
    """
    files = written(decoded(responses or []), directory)
    # Afterwards nobody could say what there was.
    looked = tool.run(*way.look()) if compare or manner == "look" else None
    if manner == "look":
        return looked, looked
    if manner == "ask":
        return looked, tool.run(*way.ask())
    if manner == "hand_in":
        return looked, tool.run(*way.hand_in(files))
    return looked, tool.run(*way.try_out(files, directory))


def told(document, manner, params, check_mode):
    """Return the return values, without attributes of the file and without the diff."""
    result = result_of(document, manner == "look")
    asked = [each["fingerprint"] for each in result["renewals"] if each["outcome"] not in ("not-due", "due")]
    result["fetched"] = asked if manner == "ask" else []
    if manner == "try_out":
        # Of the file, not of its copy.
        path = os.path.realpath(params["path"])
        result["changes"] = [{"path": path, "kind": each["kind"], "op": each["op"]} for each in result["changes"]]
    elif check_mode:
        result["changed"] = bool(due(document))
    return result


def set_attributes(module, result, existed):
    """Give the file the mode and owner that it is to have, and tell of it in ``result``."""
    path = module.params["path"]
    arguments, attributes = module.load_file_common_arguments(module.params), {}
    result["changed"] = module.set_fs_attributes_if_different(arguments, result["changed"], attributes)
    if module._diff and existed and attributes.get("before") != attributes.get("after"):
        headers = {f"{side}_header": f"{path} (attributes)" for side in ("before", "after")}
        result["diff"] += [{**attributes, **headers}]


def main():
    """Look at what is due, or ask for it, or hand in what was fetched elsewhere."""
    module = AnsibleModule(
        argument_spec={**TOOL, **SELECTION, **OWN},
        required_by=REQUIRED_BY,
        add_file_common_args=True,
        supports_check_mode=True,
    )
    params = module.params
    manner = manner_of(params, module.check_mode)
    existed = params["path"] is not None and os.path.exists(params["path"])
    tool = runner(module, ALWAYS)
    try:
        # Ansible's own directory is removed by whoever logged in, who may not be who we are.
        with tempfile.TemporaryDirectory(dir=module.tmpdir) as directory:
            looked, document = ran(tool, way_of(params), manner, params["responses"], directory, module._diff)
    except ValueError as error:
        module.fail_json(msg=str(error), **ALWAYS, **failed({}))
    except Trouble as trouble:
        module.fail_json(msg=str(trouble), **ALWAYS, **failed(trouble.document))
    result = told(document, manner, params, module.check_mode)
    if module._diff:
        # What the control node has yet to see to is no change so far.
        shown = {"renewals": []} if manner == "look" and not module.check_mode else result
        result["diff"] = diff_of(shown, staples_of(looked), staples_of(document), params["path"])
    if params["path"] is not None and (module.check_mode or os.path.exists(params["path"])):
        set_attributes(module, result, existed)
    for warning in problems(result):
        module.warn(warning)
    lost = [] if manner == "look" else lacking(result["renewals"], result["staples"])
    if lost and params["required"]:
        module.fail_json(msg="; ".join(lost), **result)
    for warning in lost:
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
