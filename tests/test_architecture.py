"""The rules of the house that a machine can keep: who imports whom, and how large things get.

The import graph stands in ARCHITECTURE.md; this is where it is enforced.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("harness", "fault_injectors", "resilience", "shadow_atlas")
BASE = frozenset({"harness.model", "harness.clock"})

# Layer: what it may import of ours besides itself. The first match counts, so longer names first.
MAY_IMPORT = {
    "fault_injectors.toxics": frozenset(),
    "fault_injectors": BASE | {"fault_injectors.toxics"},
    "harness.model": frozenset(),
    "harness.clock": frozenset(),
    "harness.plain_http": frozenset(),
    "harness.scenario_files": BASE,
    "harness.load": BASE,
    "harness.observation": BASE | {"harness.plain_http"},
    "harness.checks": BASE,
    "harness.reporting": BASE,
    "harness.environments": BASE
    | {"harness.plain_http", "fault_injectors", "fault_injectors.toxics"},
    "harness.plan": BASE,
    "harness.timeline": BASE,
    "harness.runner": BASE
    | {
        "harness.load",
        "harness.observation",
        "harness.checks",
        "harness.plan",
        "harness.timeline",
    },
    "harness.composition": BASE
    | {
        "fault_injectors",
        "harness.scenario_files",
        "harness.checks",
        "harness.environments",
        "harness.reporting",
        "harness.plan",
        "harness.runner",
    },
    "harness.suite": frozenset({"harness.model", "harness.composition"}),
    "harness.command_line": BASE
    | {
        "fault_injectors",
        "harness.scenario_files",
        "harness.environments",
        "harness.reporting",
        "harness.checks",
        "harness.plan",
        "harness.composition",
        "harness.suite",
    },
    "harness.cli": frozenset({"harness.command_line"}),
    "harness.pytest_support": BASE | {"harness.reporting", "harness.composition", "harness.plan"},
    "harness.pytest_plugin": BASE
    | {"harness.pytest_support", "harness.composition", "harness.reporting"},
    "atlas_chaos_pytest": frozenset({"harness.pytest_plugin"}),
    "harness": frozenset(),  # the package's own `__init__`
    "resilience": frozenset(),
    "shadow_atlas": frozenset({"resilience"}),
}
STANDARD_LIBRARY_ONLY = ("resilience", "fault_injectors.toxics", "harness.model", "harness.clock")
DRAWERS = ("util", "utils", "helper", "helpers", "common", "manager", "factory", "misc")

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [*found, ROOT / "atlas_chaos_pytest.py"]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> str | None:
    """Return the longest layer name that a module lies in."""
    fitting = [name for name in MAY_IMPORT if module == name or module.startswith(f"{name}.")]
    # A new module directly under `harness` has to be given a layer of its own.
    if fitting == ["harness"] and module != "harness":
        return None
    return max(fitting, key=len, default=None)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from harness.environments import world` imports a module, `... import Verdict` a name
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                is_module = (ROOT / Path(*deeper.split("."))).with_suffix(".py").exists()
                yield deeper if is_module else node.module


def is_ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in (*PACKAGES, "atlas_chaos_pytest")


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_every_module_belongs_to_a_layer_and_imports_only_what_that_may(path):
    layer = layer_of(name_of(path))
    assert layer is not None, f"{name_of(path)} belongs to no layer; give it one in MAY_IMPORT"
    allowed = MAY_IMPORT[layer] | {layer}

    wrong = [name for name in imports_of(path) if is_ours(name) and layer_of(name) not in allowed]

    assert wrong == [], f"layer {layer} may import only {sorted(allowed)}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_some_layers_use_the_standard_library_alone(path):
    if not name_of(path).startswith(STANDARD_LIBRARY_ONLY):
        return

    foreign = [
        name
        for name in imports_of(path)
        if not is_ours(name) and name.split(".")[0] not in sys.stdlib_module_names
    ]

    assert foreign == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_module_is_a_drawer(path):
    words = path.stem.split("_")

    assert not set(words) & set(DRAWERS), "name the module after its one concept"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_modules_and_functions_stay_small(path):
    text = path.read_text()
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and code_lines(node) > FUNCTION_LINES_MAX
    }

    assert len(text.splitlines()) <= MODULE_LINES_MAX
    assert long == {}, f"functions over {FUNCTION_LINES_MAX} lines of code"


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring: what explains may be long."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_the_graph_is_the_one_that_architecture_md_tells():
    text = (ROOT / "ARCHITECTURE.md").read_text()

    missing = [layer for layer in MAY_IMPORT if layer.rpartition(".")[2] not in text]

    assert missing == []


@pytest.mark.parametrize("forbidden", ["/work/", "/root/", "shared/"])
def test_no_path_of_somebodys_machine_is_in_the_project(forbidden):
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".json", ""}
    here = Path(__file__)

    found = [
        str(path.relative_to(ROOT))
        for folder in (*PACKAGES, "tests", "scripts", "docs", "scenarios", "benchmarks", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in kinds and path != here
        if forbidden in path.read_text(errors="ignore")
    ]

    assert found == []
