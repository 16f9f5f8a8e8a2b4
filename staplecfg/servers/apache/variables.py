"""`Define` and the environment: what `${NAME}` stands for (ap_resolve_env())."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(rb"\$\{([^}]*)\}")

ENVIRONMENT = "env:"
"""How `Installation.details` names an environment variable of the server's."""


@dataclass(slots=True)
class Variables:
    """What is defined at the place httpd has read up to.

    Flags are compared in their case, values are looked up in any; a flag that
    is defined again without a value keeps the value it had (2.4.71).
    """

    environment: Mapping[str, str]
    flags: set[str]
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, details: Mapping[str, str]) -> Variables:
        """Return what holds before the first line: the `-D` flags and the environment.

        `-D NAME=VALUE` makes a flag of that whole name, and no variable.
        """
        environment = {
            name.removeprefix(ENVIRONMENT): value
            for name, value in details.items()
            if name.startswith(ENVIRONMENT)
        }
        return cls(environment, set(details.get("defines", "").split()))

    def define(self, name: str, value: str | None) -> None:
        """Carry out `Define NAME [VALUE]`."""
        self.flags.add(name)
        if value is not None:
            self.values[name.lower()] = value

    def undefine(self, name: str) -> None:
        """Carry out `UnDefine NAME`."""
        self.flags.discard(name)
        self.values.pop(name.lower(), None)

    def expand(self, text: bytes) -> bytes:
        """Return the line `text` with every variable in it; what is not defined stays.

        httpd does this once, before it looks for words, so that a value may
        bring blanks and quotes of its own.
        """
        return _REFERENCE.sub(self._value, text) if b"${" in text else text

    def _value(self, reference: re.Match[bytes]) -> bytes:
        name = reference[1].decode("utf-8", "surrogateescape")
        value = self.values.get(name.lower(), self.environment.get(name))
        return reference[0] if value is None else value.encode("utf-8", "surrogateescape")
