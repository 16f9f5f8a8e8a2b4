"""The arrows of CONTRIBUTING, checked: who may import whom, and who may touch the machine."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

PACKAGE = Path(__file__).parents[1] / "staplecfg"

LAYERS = (
    "model",
    "servers",
    "pki",
    "checks",
    "planning",
    "machine",
    "staples",
    "loading",
    "applying",
    "cli",
)
"""Inner first. A module imports from its own layer and from those before it."""

PURE = LAYERS[: LAYERS.index("machine")]

THIRD_PARTY = {
    "model": {"cryptography"},
    "servers": {"crossplane"},
    "pki": {"cryptography"},
    "checks": set(),
    "planning": {"jinja2"},
    "machine": {"watchdog"},
    "staples": {"urllib3", "OpenSSL", "cryptography", "h11"},
    "loading": {"dns", "tomllib", "tomli", "cryptography"},
    "applying": set(),
    "cli": {"rich", "cryptography"},
}
"""What each layer may import besides the standard library; a package not named here fails."""

EFFECTS = {
    "builtins.open",
    "ctypes",
    "fcntl",
    "glob",
    "os",
    "pathlib.Path",
    "pathlib.PosixPath",
    "random",
    "secrets",
    "select",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
}
"""What a pure layer may not import."""


def modules() -> Iterator[ParameterSet]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        if len(parts) > 1:
            yield pytest.param(path, parts[0], id="/".join(parts))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"relative import in {path}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_package_is_a_known_layer():
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}

    assert packages == set(LAYERS)


@pytest.mark.parametrize(("path", "layer"), list(modules()))
def test_imports_point_inward(path: Path, layer: str):
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "staplecfg" and rest and rest != "__version__":
            inner = rest.partition(".")[0]
            assert LAYERS.index(inner) <= LAYERS.index(layer), f"{layer} imports {name}"
        elif package != "staplecfg" and package not in sys.stdlib_module_names | {"__future__"}:
            assert package in THIRD_PARTY[layer], f"{layer} imports {package}"


@pytest.mark.parametrize(("path", "layer"), [case for case in modules() if case.values[1] in PURE])
def test_a_pure_layer_touches_nothing(path: Path, layer: str):
    for name in imports(path):
        touched = {name, name.partition(".")[0]} & EFFECTS
        assert not touched, f"{layer} imports {name}"


@pytest.mark.parametrize(("path", "layer"), [case for case in modules() if case.values[1] in PURE])
def test_a_pure_layer_takes_the_time_as_an_argument(path: Path, layer: str):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today"} or (
                isinstance(node.value, ast.Name) and node.value.id in {"facts", "self"}
            ), f"{layer} reads the clock at line {node.lineno}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "open", f"{layer} opens a file at line {node.lineno}"


@pytest.mark.parametrize(
    ("path", "layer"), [case for case in modules() if case.values[1] in {"planning", "staples"}]
)
def test_planning_and_staples_never_meet(path: Path, layer: str):
    other = "staples" if layer == "planning" else "planning"

    assert not [name for name in imports(path) if name.startswith(f"staplecfg.{other}")]
