# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of the staplecfg executable, and the one JSON document it answers with.

Nothing of staplecfg is imported: the tool has a Python of its own. Modules call it
through ``AnsibleModule.run_command``, the action plugin through ``subprocess`` on
the control node; both are a ``call`` that takes a list of words and returns the exit
status, standard output and standard error, or raises OSError.
"""

from __future__ import annotations

import json

PROGRAM = "staplecfg"
PLACES = ("/opt/staplecfg/bin",)
SCHEMA = 1
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C", "NO_COLOR": "1"}

TROUBLE = 2
"""From this exit status on nothing was done, or a person must look (docs/exit-status.md)."""


class Trouble(Exception):
    """The run ended badly; the message is for a person, the document for return values."""

    def __init__(self, message, document=None):
        super().__init__(message)
        self.document = document or {}


class Runner:
    """Runs the tool at ``executable`` by means of ``call``."""

    def __init__(self, executable, call):
        self.executable = executable
        self._call = call

    def run(self, command, *words):
        """Return the document of one run; raises Trouble where it ended in 2 or more."""
        argv = [self.executable, command, *words, "--format=json"]
        try:
            status, out, err = self._call(argv)
        except OSError as error:
            raise Trouble(_not_run(self.executable, error)) from error
        document = _document(argv, status, out, err)
        if status >= TROUBLE:
            raise Trouble(_words(document, status), document)
        return document


def _not_run(executable, error):
    # The kernel says "No such file" of a script whose interpreter is missing, too.
    return (
        f"{executable} cannot be run: {error.strerror}; is the Python that it was installed with gone? The role"
        " staplecfg.stapling.stapling with stapling_state=present makes its environment anew; nothing was changed"
    )


def _document(argv, status, out, err):
    try:
        document = json.loads(out)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "schema" not in document:
        said = (err or out).strip()[-2000:] or "nothing"
        raise Trouble(
            f"{argv[0]} {argv[1]} ended in {status} without a JSON document; is it staplecfg? It said: {said}"
        )
    if document["schema"] != SCHEMA:
        raise Trouble(
            f"{argv[0]} speaks schema {document['schema']} and this collection schema {SCHEMA};"
            " install versions of both that were released together"
        )
    return document


def _words(document, status):
    errors = [document.get("error")] + [run.get("error") for run in document.get("runs", [])]
    told = [_one(error) for error in errors if error]
    return "; ".join(told) or f"staplecfg ended in {status}: {'; '.join(document.get('warnings', []))}"


def _one(error):
    where = error.get("file")
    if where and error.get("line"):
        where = f"{where}:{error['line']}"
    text = f"{where}: {error['message']}" if where else error["message"]
    for part in ("state", "hint"):
        if error.get(part):
            text += f" ({error[part]})"
    return text
