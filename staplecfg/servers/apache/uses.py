"""`<Macro>`, `Use` and `UndefMacro` carried out, or refused as mod_macro refuses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.apache import trouble
from staplecfg.servers.apache.macros import Macro, header

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive
    from staplecfg.model.source import Location
    from staplecfg.servers.apache.frame import Frame
    from staplecfg.servers.apache.trouble import Trouble

Macros = dict[str, Macro]
"""By name in lower case."""


def define(directive: Directive, text: bytes, frame: Frame, macros: Macros, told: Trouble) -> None:
    """Carry out `<Macro text>`, whose body is that of `directive`; the last definition counts."""
    at = frame.text.at(directive)
    try:
        name, parameters = header(text)
    except ValueError as error:
        _refuse(told, at, f"the macro {error}", "name each parameter once")
        return
    if not name:
        _refuse(told, at, "a macro needs a name", "write <Macro NAME $parameter ...>")
        return
    body = directive.block.children if directive.block else ()
    macros[name] = Macro(name, parameters, body, frame.text, frame.substitutions)


def forget(directive: Directive, frame: Frame, macros: Macros, told: Trouble) -> None:
    """Carry out `UndefMacro NAME`."""
    name = directive.args[0] if directive.args else ""
    if macros.pop(name.lower(), None) is None:
        _refuse(
            told,
            frame.text.at(directive),
            f'no macro "{name}" is defined before this line',
            "take the line out, or define the macro before it",
        )


def use(directive: Directive, frame: Frame, macros: Macros, told: Trouble) -> Frame | None:
    """Return where `Use NAME ARGUMENTS` leads, or None where it leads nowhere."""
    at = frame.text.at(directive)
    name, *args = directive.args or ("",)
    macro = macros.get(name.lower())
    if macro is None:
        _refuse(
            told,
            at,
            f'no macro "{name}" is defined before this line',
            "define it before, or include the file that does",
        )
        return None
    if macro.name in frame.macros:
        _refuse(told, at, f'the macro "{name}" uses itself', "take this line out")
        return None
    if len(args) != len(macro.parameters):
        _refuse(
            told,
            at,
            f'the macro "{name}" takes {len(macro.parameters)} arguments, not {len(args)}',
            "write one word for each parameter, in quotes where it has blanks",
        )
        return None
    return frame.use(macro, tuple(args), at)


def _refuse(told: Trouble, at: Location, problem: str, hint: str) -> None:
    told.blind(trouble.MACRO, at, problem, hint)
