"""Lines that httpd reads otherwise than whoever wrote them, or than the next httpd."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_INVISIBLE = frozenset("\u200b\ufeff\udca0")
_POD = frozenset({"=pod", "=head1", "=head2", "=over", "=item", "=begin", "=for", "__end__"})


class Misreading(NamedTuple):
    """What is wrong with a line, and what to do."""

    problem: str
    hint: str


def misreading(name: str, text: bytes, around: Iterable[str]) -> Misreading | None:
    """Say why the line `text`, which begins with `name`, is refused; None where it is not.

    `around` are the names of the sections it stands in.
    """
    if not name.isascii() and any(map(_is_hidden, name)):
        return Misreading(
            f'a blank that httpd takes for a letter stands in "{brief(name)}"',
            "put an ordinary blank in its place (it was probably pasted from a web page)",
        )
    if name.lower() in _POD:
        # What it hides depends on whether mod_perl is loaded.
        return Misreading(
            f"{name} begins documentation that mod_perl alone skips", "make it a comment with #"
        )
    if text.endswith(b"\\") and any(each.lower() == "macro" for each in around):
        # mod_macro keeps the body without the blanks at its lines' ends, and
        # each Use reads it as a file.
        return Misreading(
            "httpd joins this line of a macro with the next one when the macro is used",
            "take out the blanks behind the backslash, or the backslash",
        )
    return None


def _is_hidden(mark: str) -> bool:
    # \udca0 is the no-break space of Latin-1, undecodable as UTF-8.
    return mark in _INVISIBLE or (mark.isspace() and not mark.isascii())


def brief(word: str) -> str:
    """Return `word` for a message; in a file that is no configuration it can be all of it."""
    most = 60
    return word if len(word) <= most else f"{word[:most]}..."
