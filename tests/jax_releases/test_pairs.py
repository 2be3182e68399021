"""`ci/matrix` covers all supported versions of Python and JAX, and all packages of fjax."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.short

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAIRS = re.findall(r'"(3\.\d+)(?: ==([\d.]+))?"', (ROOT / "ci" / "matrix").read_text())
PACKAGES = sorted(path.parent.name for path in (ROOT / "fjax").glob("*/__init__.py"))


def test_each_declared_python_has_a_pair():
    declared = [line.split(" :: ")[-1] for line in PROJECT["classifiers"] if ":: 3." in line]
    assert [python for python, _ in PAIRS] == declared
    assert PROJECT["requires-python"] == f">={declared[0]}"


def test_the_pairs_include_the_oldest_and_the_newest_release_of_jax():
    specifier = next(
        r for r in map(Requirement, PROJECT["dependencies"]) if r.name == "jax"
    ).specifier
    releases = [release for _, release in PAIRS]
    oldest = next(part.version for part in specifier if part.operator == ">=")
    assert (releases[0], releases[-1]) == (oldest, "")
    assert all(specifier.contains(release) for release in releases[:-1])


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_has_short_tests(package):
    tests = ROOT / "tests"
    modules = [*(tests / package).rglob("test_*.py"), *tests.glob(f"test_{package}.py")]
    assert any("pytest.mark.short" in module.read_text() for module in modules)
