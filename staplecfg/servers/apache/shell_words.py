"""Words of shell: split at blanks and `;`, quotes taken off, parameters expanded (POSIX 2.2, 2.6).

What a shell would do besides (run a command, match a pattern, look into its own
environment) raises `NotPlain`: only a shell can say what comes of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECE = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|\$\{[^}]*\}|[^'\"\\]", re.DOTALL)
_PARAMETER = re.compile(
    r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-+]|##?|%%?)(?P<word>[^{}]*))?\})",
    re.ASCII,
)
_OPERATORS = frozenset("|&<>()`")
_PATTERN = frozenset("*?[")
_ESCAPED_IN_QUOTES = frozenset('$`"\\')

UNSET = frozenset({"LD_LIBRARY_PATH"})
"""What upstream's own envvars adds to, and no service manager sets."""


class NotPlain(Exception):
    """Only a shell can say what this does; the message, for after a colon, says why."""


def commands(line: str) -> list[list[str]]:
    """Return the commands of `line`, each a list of words as written; raises `NotPlain`."""
    found: list[list[str]] = [[]]
    word, at = "", 0
    while at < len(line):
        match = _PIECE.match(line, at)
        if match is None:
            raise NotPlain("it goes on in the next line")
        piece, at = match[0], match.end()
        if piece in _OPERATORS:
            raise NotPlain(f"`{piece}` is for a shell")
        if not (piece.isspace() or piece == ";" or (piece == "#" and not word)):
            word += piece
            continue
        if word:
            found[-1].append(word)
        word = ""
        if piece == "#":
            break
        if piece == ";":
            found.append([])
    if word:
        found[-1].append(word)
    return [words for words in found if words]


def expanded(word: str, values: Mapping[str, str]) -> str:
    """Return `word` without its quotes, parameters replaced from `values`; raises `NotPlain`."""
    if word.startswith("~"):
        raise NotPlain("`~` is for a shell")
    made, at, quoted = [], 0, False
    while at < len(word):
        character = word[at]
        if character == "'" and not quoted:
            end = word.index("'", at + 1)
            made.append(word[at + 1 : end])
            at = end
        elif character == '"':
            quoted = not quoted
        elif character == "\\":
            at += 1
            kept = quoted and word[at] not in _ESCAPED_IN_QUOTES
            made.append(f"\\{word[at]}" if kept else word[at])
        elif character == "`":
            raise NotPlain("it runs a command")
        elif character == "$":
            match = _PARAMETER.match(word, at)
            if match is None:
                raise NotPlain(f"`{word[at:]}` is an expansion of another kind")
            made.append(_value(match, values))
            at = match.end() - 1
        else:
            made.append(character)
        at += 1
    return "".join(made)


def _value(parameter: re.Match[str], values: Mapping[str, str]) -> str:
    """Return what `parameter` stands for (POSIX 2.6.2)."""
    name, how = parameter["bare"] or parameter["name"], parameter["how"] or ""
    value = values.get(name, "" if name in UNSET else None)
    if how.endswith(("-", "+")):
        there = value is not None and (value != "" or not how.startswith(":"))
        if how.endswith("+"):
            return expanded(parameter["word"], values) if there else ""
        return value if there and value is not None else expanded(parameter["word"], values)
    if value is None:
        raise NotPlain(f"${name} is not set here")
    if not how:
        return value
    pattern = expanded(parameter["word"], values)
    if _PATTERN & set(pattern):
        raise NotPlain(f"`{pattern}` is a pattern")
    return value.removeprefix(pattern) if how.startswith("#") else value.removesuffix(pattern)
