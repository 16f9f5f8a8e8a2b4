"""Where in the configuration httpd is while it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.source import Location
    from staplecfg.servers.apache.macros import Macro, Substitution
    from staplecfg.servers.apache.sources import Text


@dataclass(frozen=True, slots=True)
class Frame:
    """The file, the macros in whose bodies it stands, and how deep it is."""

    text: Text
    substitutions: tuple[Substitution, ...] = ()
    used_at: tuple[Location, ...] = ()
    """The `Use` lines that lead here from the file's own lines, outermost first."""
    macros: tuple[str, ...] = ()
    """The macros of these uses. An included file begins anew, as in mod_macro."""
    includes: int = 0
    level: int = 0
    """Includes, macros and sections around this place, together."""
    site: Text | None = None
    """The file in which the virtual host around this place opens, if one does."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return what is replaced in the lines here, before they are read."""
        names = (name for each in self.substitutions for name, _ in each)
        return tuple(dict.fromkeys(name.decode("utf-8", "surrogateescape") for name in names))

    def section(self, *, opens_site: bool = False) -> Frame:
        """Return where the children of a section are."""
        return replace(self, level=self.level + 1, site=self.text if opens_site else self.site)

    def include(self, text: Text) -> Frame:
        """Return where an included file begins."""
        return Frame(text, includes=self.includes + 1, level=self.level + 1, site=self.site)

    def use(self, macro: Macro, args: tuple[str, ...], at: Location) -> Frame:
        """Return where the body of `macro` begins, used at `at` with `args`."""
        return Frame(
            macro.text,
            macro.use(args),
            (*self.used_at, at),
            (*self.macros, macro.name),
            self.includes,
            self.level + 1,
            self.site,
        )
