"""Faulty releases of JAX, and the warning if one of them is installed.

`FAULTY_RELEASES` is the only list of them in the code. `pyproject.toml` excludes the same releases;
a test compares the two.
"""

import warnings
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import jaxlib


class FaultyRelease(NamedTuple):
    """What is wrong with a release of jaxlib.

    Attributes:
        problem: The fault, as the predicate of a sentence about the release.
        compiler_options: The options of XLA that avoid the fault; empty if none does.
    """

    problem: str
    compiler_options: Mapping[str, bool | int | str]


# The faults are in YNNPACK's fusions: no kind of fusion is enabled.
_WITHOUT_YNN_FUSION = {"xla_cpu_experimental_ynn_fusion_type": ""}

FAULTY_RELEASES = {
    "0.10.2": FaultyRelease(
        "computes some reductions wrongly on a CPU (jax#39103) and crashes in others (jax#40412)",
        _WITHOUT_YNN_FUSION,
    ),
    "0.11.0": FaultyRelease(
        "crashes in some reductions on a CPU (jax#39257)",
        _WITHOUT_YNN_FUSION,
    ),
    "0.11.1": FaultyRelease(
        "copies a whole array on a CPU wherever a loop writes a small part of it (jax#40101)",
        {},
    ),
}


# The days on which the supported releases were built, from the dates in their files.
BUILD_DATES = {"0.10.1": date(2026, 5, 18), "0.11.2": date(2026, 9, 17)}

# JAX promises to read an exported program in releases that are at most so much newer.
EXPORT_MONTHS = 6


def export_promise(version: str = jaxlib.__version__) -> str:
    """Return until when JAX promises to read the programs that a release of jaxlib exports.

    The promise counts from the day when the release was built, not from the export.

    Args:
        version: The release; by default the installed one.

    Source: JAX, "Exporting and serializing staged-out computations", compatibility guarantees.

    >>> export_promise("0.11.2")
    'the releases of JAX until 2027-03-17'
    >>> export_promise("99.0")
    'the releases of JAX up to 6 months newer than jaxlib 99.0'
    """
    if version not in BUILD_DATES:
        return f"the releases of JAX up to {EXPORT_MONTHS} months newer than jaxlib {version}"
    built = BUILD_DATES[version]
    years, month = divmod(built.month - 1 + EXPORT_MONTHS, 12)
    return f"the releases of JAX until {built.replace(built.year + years, month + 1)}"


def installed_fault() -> FaultyRelease | None:
    """Return the known fault of the installed jaxlib, or None.

    >>> installed_fault() == FAULTY_RELEASES.get(jaxlib.__version__)
    True
    """
    return FAULTY_RELEASES.get(jaxlib.__version__)


def warn_if_faulty() -> None:
    """Warn if the installed jaxlib is known to be faulty.

    Warns:
        RuntimeWarning: With the installed version, the problem, and the versions to install.
    """
    fault = installed_fault()
    if fault is None:
        return
    consequence = (
        "fjax compiles its own programs without the fault, but programs of your own `jax.jit` and "
        "single operations of JAX are affected."
        if fault.compiler_options
        else "fjax cannot avoid this."
    )
    warnings.warn(
        f"The installed jaxlib {jaxlib.__version__} {fault.problem}. {consequence} "
        "Install jax 0.10.1 (Python 3.11), or jax 0.11.2 or newer (Python 3.12 and later): "
        '`pip install --upgrade "jax!=' + ",!=".join(FAULTY_RELEASES) + '"`.',
        RuntimeWarning,
        stacklevel=3,
    )
