"""Configurations made at random of all that httpd carries out while it reads."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

FILES = ("a.conf", "b.conf", "sub/c.conf", "sub/d.conf")
DEEPEST = 3

_NAMES = ("Foo", "foo", "BAR", "x")
_MACROS = ("One", "two")
_SECTIONS = [
    *(("IfDefine", name) for name in (*_NAMES, *(f"!{name}" for name in _NAMES))),
    ("IfDefine", "${Foo}x"),
    ("IfModule", "mod_autoindex.c"),
    ("IfModule", "!autoindex_module"),
    ("IfModule", "mod_env.c"),
    ("IfFile", "a.conf"),
    ("IfFile", "!sub"),
    ("IfVersion", ">= 2.4.1"),
    ("IfVersion", "< 2.4.1"),
    ("If", '"true"'),
    ("If", "\"'a' == 'b>c'\""),
]
_VALUES = (
    '"${Foo}"',
    "'${bar} b'",
    '"${nothing}"',
    '"a#b"',
    "$x",
    '"$x ${X}"',
    '"a \\\n  b"',
    '"@y"',
)


def tree(seed: int) -> tuple[str, dict[str, str]]:
    """Return the text of a main file, and those of `FILES`, which it and they may include.

    `IndexIgnore` (mod_autoindex) may stand anywhere, and takes any words. A file
    includes only those after it, and no macro uses another: nothing goes in circles.
    """
    chance = Random(seed)
    files = {name: _Writer(chance, FILES[at + 1 :]).text(6) for at, name in enumerate(FILES)}
    main = _Writer(chance, FILES)
    return "".join(main.macro(name) for name in _MACROS) + main.text(14), files


@dataclass(frozen=True)
class _Writer:
    """Writes lines of one file; in a macro's body there are no uses and no includes."""

    chance: Random
    later: tuple[str, ...]
    depth: int = 0
    body: bool = False

    def text(self, most: int) -> str:
        makers = [self.simple, self.simple, self.simple, self.define, self.undefine, self.comment]
        if self.depth < DEEPEST:
            makers += [self.section] * 3
        if not self.body:
            makers += [self.use, self.include]
        if not self.body and self.depth < DEEPEST:
            makers.append(self.macro)
        count = self.chance.randrange(1, most)
        return "".join(self.chance.choice(makers)() for _ in range(count))

    def simple(self) -> str:
        name = self.chance.choice(("IndexIgnore", "indexignore", "INDEXIGNORE"))
        number, value = self.chance.randrange(99), self.chance.choice(_VALUES)
        return f"{self.blank()}{name} h{number} {value}\n"

    def define(self) -> str:
        value = self.chance.choice(("", " v", ' "v w"', " ${Foo}", " 1"))
        return f"{self.blank()}Define {self.chance.choice(_NAMES)}{value}\n"

    def undefine(self) -> str:
        return f"UnDefine {self.chance.choice(_NAMES)}\n"

    def comment(self) -> str:
        return self.chance.choice(("\n", "# ${Foo}\n", "# gone \\\nIndexIgnore gone\n", "  \n"))

    def section(self) -> str:
        name, condition = self.chance.choice(_SECTIONS)
        tag = self.chance.choice((name, name.lower(), name.upper()))
        inside = _Writer(self.chance, self.later, self.depth + 1, self.body).text(4)
        return f"{self.blank()}<{name} {condition}>\n{inside}</{tag}>\n"

    def use(self) -> str:
        args = self.chance.choice(('p "q r"', '"${Foo}1" z', '"" "\\"q\\""', "$x @y"))
        return f"Use {self.chance.choice(_MACROS)} {args}\n"

    def include(self) -> str:
        if not self.later:
            return "IncludeOptional nothing/*\n"
        return f"Include {self.chance.choice(self.later)}\n"

    def macro(self, name: str | None = None) -> str:
        inside = _Writer(self.chance, (), 1, body=True).text(6)
        named = name or self.chance.choice(_MACROS)
        return f"<Macro {named} $x @y>\n{inside}  IndexIgnore always-$x @y\n</Macro>\n"

    def blank(self) -> str:
        return self.chance.choice(("", "  ", "\t"))
