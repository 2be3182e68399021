"""Which packages of fjax may import which, and what importing fjax loads."""

import ast
import collections
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "fjax"

# The floor of each package, or module directly in fjax. It may import lower floors, and on its own
# floor only what ALLOWED lists.
FLOORS = {
    "typing": 0, "errors": 0, "version": 0, "caching": 0, "configuration": 0, "registry": 0,
    "config": 0, "custom_objects": 0, "public_names": 0, "traits": 0, "trees": 0,
    "importing": 0, "jax_release": 0, "compiler": 0, "compilation_cache": 0, "symbols": 0,
    "absent_names": 0, "scopes": 0, "dtype_policies": 0, "loopback": 0, "processes": 0,
    "languages": 0, "markup": 0,
    "activations": 1, "initializers": 1, "losses": 1, "metrics": 1, "optimizers": 1,
    "regularizers": 1, "constraints": 1, "lowering": 1, "variable": 1,
    "core": 2, "random": 2, "mixed_precision": 2,
    "authoring": 3, "layers": 3, "ops": 3,
    "training": 4,
    "data": 5, "distribution": 5, "storage": 5,
    "callbacks": 6, "population": 6, "models": 6,
    "backend": 7, "datasets": 7, "preprocessing": 7, "saving": 7, "tree": 7, "utils": 7,
    "visualization": 7,
    "applications": 7, "search": 7, "wrappers": 7,
    "dashboard": 7,
    "keras": 8, "playground": 8,
}  # fmt: skip

# Imports that are allowed within a floor.
ALLOWED = {
    "compiler": {"jax_release"},
    "config": {"dtype_policies", "errors", "languages"},
    "configuration": {"errors", "markup"},
    "custom_objects": {"errors"},
    "dtype_policies": {"errors"},
    "languages": {"errors"},
    "processes": {"compiler", "errors", "typing"},
    "registry": {"configuration", "custom_objects", "errors"},
    "scopes": {"errors"},
    "traits": {"configuration"},
    "trees": {"typing"},
    "variable": {"initializers"},
    "metrics": {"losses", "variable"},
    "optimizers": {"variable"},
    "storage": {"data"},
    "population": {"callbacks"},
    "models": {"callbacks", "population"},
    "applications": {"datasets", "utils"},
    "backend": {"utils"},
    "utils": {"datasets", "preprocessing", "saving", "visualization"},
    "search": {"wrappers"},
}

FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def package(path: Path) -> str:
    """Return the package or module directly in fjax that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def test_every_package_has_a_floor():
    assert {package(path) for path in FILES} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_are_from_lower_floors(path):
    importer = package(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "fjax" or len(parts) < 2 or parts[1] == importer:
            continue
        imported = parts[1]
        below = FLOORS[imported] < FLOORS[importer]
        assert below or imported in ALLOWED.get(importer, ()), f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_programs_are_compiled_in_one_place(path):
    # `fjax.compiler` adapts the compiler options to the installed release of JAX.
    if package(path) == "compiler":
        return
    attributes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]
    assert not [n for n in attributes if n.attr in ("jit", "pjit", "pmap")], path
    assert not {"jax.jit", "jax.pmap"} & imports(path), path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_runs_and_lowering_compile(path):
    # `lowering` compiles operations of several steps, so that called alone they are one program;
    # `processes` compiles the gathering of arrays that several processes share.
    if package(path) not in ("training", "population", "lowering", "processes"):
        assert "fjax.compiler.compile_function" not in imports(path), path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrays_are_put_on_devices_by_placements(path):
    if path in (ROOT / "training" / "placement.py", ROOT / "training" / "transfers.py"):
        return
    attributes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]
    assert not [n for n in attributes if n.attr.startswith("device_put")], path
    assert not {"jax.device_put"} & imports(path), path


# Where a layer's own `apply` is called, and not a layer within another one: an author's class that
# extends a layer, a layer whose outputs are masked, and a declared input, which computes nothing.
OWN_APPLY = {"authoring/extended_layer.py", "population/widths.py", "core/graph.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_layers_are_called_in_one_place(path):
    if path == ROOT / "core" / "precision.py" or str(path.relative_to(ROOT)) in OWN_APPLY:
        return
    calls = [n.func for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    called = [ast.unparse(f) for f in calls if isinstance(f, ast.Attribute) and f.attr == "apply"]
    assert set(called) <= {"self.apply", "super().apply"}, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_private_name_crosses_a_package(path):
    importer = package(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "fjax" and len(parts) > 1 and parts[1] != importer:
            assert not any(part.startswith("_") for part in parts), f"{path} imports {name}"


@functools.cache
def defined_names() -> dict[str, set[str]]:
    """The names that each package defines: functions, classes, variables and attributes."""
    names: dict[str, set[str]] = collections.defaultdict(set)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names[package(path)].add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names[package(path)].add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names[package(path)].add(node.attr)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_private_attribute_of_another_package_is_read(path):
    own = defined_names()[package(path)]
    others = set().union(*defined_names().values()) - own
    attributes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]
    read = {n.attr for n in attributes if ast.unparse(n.value) not in ("self", "cls")}
    private = {name for name in read & others if re.match("_[a-z]", name)}
    assert private <= {"_fields", "_replace", "_asdict"}, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 450, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_fjax_imports_no_library_that_tests_compare_it_with(path):
    libraries = {"keras", "torch", "optax", "sklearn", "tensorflow", "flax", "equinox"}
    if package(path) in ("wrappers", "search"):
        # These packages are about scikit-learn, which is an optional dependency.
        libraries.remove("sklearn")
    assert not libraries & {name.split(".")[0] for name in imports(path)}


def test_importing_starts_no_device_and_loads_nothing_heavy():
    program = """
import sys
import fjax
from jax._src import xla_bridge
assert not xla_bridge._backends, "a device was started"
heavy = {"pandas", "sklearn", "matplotlib", "keras", "torch", "optax", "tqdm", "safetensors"}
heavy |= {"pydot", "pyparsing", "IPython", "tensorboard", "anywidget", "fjax.loopback"}
heavy |= {"fjax.playground"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize("enabled", [True, False])
def test_importing_leaves_the_garbage_collector_as_it_was(enabled):
    before = "" if enabled else "gc.disable(); "
    program = f"import gc; {before}import fjax; assert gc.isenabled() is {enabled}"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
