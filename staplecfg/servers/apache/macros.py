"""`<Macro>` and `Use`: text put into lines before they are read (mod_macro)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.servers.apache import words

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive
    from staplecfg.servers.apache.sources import Text

Substitution: TypeAlias = "tuple[tuple[bytes, bytes], ...]"
"""One use of a macro: its parameters, and what stands in their places."""

LONGEST = 8192
"""MAX_STRING_LEN: no line of a macro's body may come to be as long, in bytes."""

_ESCAPED = b"@"
_FLAGS = ("/ignoreemptyargs", "/ignorebadnesting")


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro as it was defined.

    `body` stands in `text`. `outer` are the uses in whose body the definition
    itself stood: their parameters were put in before it was read.
    """

    name: str
    parameters: tuple[bytes, ...]
    body: tuple[Directive, ...]
    text: Text
    outer: tuple[Substitution, ...] = ()

    def use(self, args: tuple[str, ...]) -> tuple[Substitution, ...]:
        """Return what to put into the body where it is used with `args`, one per parameter."""
        values = tuple(arg.encode("utf-8", "surrogateescape") for arg in args)
        return (*self.outer, tuple(zip(self.parameters, values, strict=True)))


def header(text: bytes) -> tuple[str, tuple[bytes, ...]]:
    """Return name and parameters of `<Macro text>`; the name is "" where there is none.

    Raises `ValueError`, with what is wrong, for parameters httpd would not take.
    """
    name, *rest = words.split(text) or ("",)
    while rest and rest[0].startswith("/"):
        if rest[0].lower() not in _FLAGS:
            raise ValueError(f"has the flag {rest[0]}, which we do not know")
        del rest[0]
    parameters = tuple(each.encode("utf-8", "surrogateescape") for each in rest)
    if not all(parameters):
        raise ValueError("has a parameter without a name")
    if len(set(parameters)) < len(parameters):
        raise ValueError("has two parameters of one name")
    return name.lower(), parameters


def put_in(line: bytes, substitutions: tuple[Substitution, ...]) -> bytes:
    """Return the `line` of a body with all parameters replaced, use by use.

    Raises `ValueError` where the line becomes longer than httpd takes.
    """
    for substitution in substitutions:
        line = _put_in(line, substitution)
    return line


def _put_in(line: bytes, substitution: Substitution) -> bytes:
    at = 0
    while (found := _next(line, at, substitution)) is not None:
        start, name, value = found
        line = line[:start] + _written(name, value) + line[start + len(name) :]
        if len(line) >= LONGEST:
            raise ValueError("grows longer than httpd takes with what is put in")
        # Past as many bytes as the value has: what escaping adds is looked at
        # again, as mod_macro does.
        at = start + len(value)
    return line


def _next(line: bytes, at: int, substitution: Substitution) -> tuple[int, bytes, bytes] | None:
    """Return the first parameter in `line` from `at` on; of two at one place, the longer."""
    best: tuple[int, int, bytes, bytes] | None = None
    for name, value in substitution:
        start = line.find(name, at)
        if start >= 0 and (best is None or (start, -len(name)) < best[:2]):
            best = (start, -len(name), name, value)
    return None if best is None else (best[0], best[2], best[3])


def _written(name: bytes, value: bytes) -> bytes:
    if not name.startswith(_ESCAPED) or name == value:
        return value
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
