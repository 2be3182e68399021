"""The house's floors: who may import whom, and what importing costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "fjax"

# The floor of each room; a room imports from its own floor only where RULES allows it.
FLOORS = {
    "typing": 0, "errors": 0, "version": 0, "caching": 0, "configuration": 0, "registry": 0,
    "traits": 0, "trees": 0,
    "jax_release": 0, "compiler": 0,
    "activations": 1, "initializers": 1, "losses": 1, "metrics": 1, "optimizers": 1,
    "regularizers": 1, "constraints": 1, "lowering": 1,
    "core": 2,
    "layers": 3,
    "storage": 4, "training": 4,
    "callbacks": 5, "population": 5, "models": 5,
    "backend": 6, "datasets": 6, "preprocessing": 6, "saving": 6, "utils": 6, "visualization": 6,
    "search": 6, "wrappers": 6,
}  # fmt: skip

# Within a floor a room may use these others.
ALLOWED = {
    "compiler": {"jax_release"},
    "configuration": {"errors"},
    "registry": {"configuration", "errors"},
    "traits": {"configuration"},
    "trees": {"typing"},
    "metrics": {"losses"},
    "population": {"callbacks"},
    "models": {"callbacks", "population"},
    "backend": {"utils"},
    "utils": {"preprocessing", "visualization"},
    "search": {"wrappers"},
}

FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room(path: Path) -> str:
    """The module or package directly under fjax that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The names that a file imports, dotted."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def test_every_room_has_a_floor():
    assert {room(path) for path in FILES} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    own = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "fjax" or len(parts) < 2 or parts[1] == own:
            continue
        other = parts[1]
        below = FLOORS[other] < FLOORS[own]
        assert below or other in ALLOWED.get(own, ()), f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_programs_are_compiled_in_one_place(path):
    # There the options are adapted to the installed release of JAX.
    if room(path) == "compiler":
        return
    attributes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]
    assert not [n for n in attributes if n.attr in ("jit", "pjit", "pmap")], path
    assert not {"jax.jit", "jax.pmap"} & imports(path), path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_runs_and_operations_compile(path):
    # An operation of several steps is one program where nobody compiles around it.
    if room(path) not in ("training", "population", "lowering"):
        assert "fjax.compiler.compile_function" not in imports(path), path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_judge_is_used_by_the_package(path):
    judges = {"keras", "torch", "optax", "sklearn", "tensorflow", "flax", "equinox"}
    if room(path) in ("wrappers", "search"):
        # Their subject, and an extra: no other room may need it.
        judges.remove("sklearn")
    assert not judges & {name.split(".")[0] for name in imports(path)}


def test_importing_starts_no_device_and_loads_nothing_heavy():
    program = """
import sys
import fjax
from jax._src import xla_bridge
assert not xla_bridge._backends, "a device was started"
heavy = {"pandas", "sklearn", "matplotlib", "keras", "torch", "optax", "tqdm", "safetensors"}
heavy |= {"pydot", "pyparsing", "IPython", "tensorboard"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
