"""Templates into text, and text into directives.

What a template may hold is a short list (`template_syntax`); Jinja2's sandbox
stands behind that.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.source import Location
from staplecfg.planning.template_lines import MARK, mark, origin, without_marks
from staplecfg.planning.template_syntax import FILTERS, require_allowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.templates import Template as Found
    from staplecfg.model.templates import Templates
    from staplecfg.servers.interface import Dialect, Words

MOST_OUTPUT = 1 << 16
"""Characters; no template has more to say."""

Failures = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What a template can provoke while it runs."""


def text(
    templates: Templates, name: str, variables: Mapping[str, object]
) -> tuple[str, tuple[int, ...]]:
    """Return template `name` rendered with `variables`, and each line's line in the template.

    Raises `NotUnderstood` at the template's `path:line`: its syntax, a variable
    that is not there, something a template may not do, too much output.
    """
    found = templates.by_name.get(name)
    if found is None:
        raise NotUnderstood("no such template", at=Location(PurePosixPath(name)))
    pieces: list[str] = []
    written = 0
    try:
        for piece in _compiled(found).generate(dict(variables)):
            written += len(piece)
            if written > MOST_OUTPUT:
                raise NotUnderstood(
                    f"the template writes more than {MOST_OUTPUT} characters",
                    at=Location(found.path),
                )
            pieces.append(piece)
    except Failures as error:
        raise NotUnderstood(_worded(error), at=_running_at(found, error)) from None
    return without_marks("".join(pieces))


def words(
    templates: Templates, name: str, variables: Mapping[str, object], dialect: Dialect
) -> tuple[Words, ...]:
    """Return the simple directives that template `name` comes to, as `dialect` reads them.

    Raises `NotUnderstood` at the template's `path:line`, also where the output is
    no directive or opens a block.
    """
    rendered, lines = text(templates, name, variables)
    return parsed(rendered, lines, templates.by_name[name].path, dialect)


def parsed(
    rendered: str, lines: tuple[int, ...], path: PurePosixPath, dialect: Dialect
) -> tuple[Words, ...]:
    """Return the simple directives in `rendered`, whose lines come from `lines` of `path`."""
    try:
        directives = dialect.parse(rendered.encode("utf-8", "surrogateescape"), path)
    except NotUnderstood as error:
        line = error.at.line if error.at is not None else None
        raise NotUnderstood(
            f"the template's output is no configuration: {error.problem}",
            at=Location(path, origin(lines, line)),
            hint=error.hint,
        ) from None
    for directive in directives:
        if directive.block is not None:
            raise NotUnderstood(
                f"`{directive.name}` opens a block, which a template may not",
                at=Location(path, origin(lines, directive.line)),
            )
    return tuple(directive.words for directive in directives)


@lru_cache(maxsize=64)
def _compiled(found: Found) -> Template:
    if MARK in found.text:
        raise NotUnderstood("a NUL character in a template", at=Location(found.path))
    environment = _environment()
    try:
        tree = environment.parse(found.text, found.path.name, str(found.path))
        require_allowed(tree, found.path)
        mark(tree)
        code = environment.compile(tree, found.path.name, str(found.path))
    except TemplateSyntaxError as error:
        problem = (error.message or "a syntax error").rstrip(".")
        raise NotUnderstood(problem, at=Location(found.path, error.lineno)) from None
    except (RecursionError, MemoryError, SyntaxError):
        raise NotUnderstood("nested too deeply", at=Location(found.path)) from None
    return Template.from_code(environment, code, {})


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # What is written is configuration; HTML's escapes would be data in it.
        autoescape=False,
        cache_size=0,
        optimized=False,
    )
    environment.globals.clear()
    environment.filters.clear()
    environment.filters.update(FILTERS)
    return environment


def _worded(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _running_at(found: Found, error: Exception) -> Location:
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(found.path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return Location(found.path, line)
