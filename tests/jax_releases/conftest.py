"""How the tests of JAX's releases compile and run their programs."""

import os
import subprocess
import sys

import jax
import pytest

from fjax.compiler import compile_function
from fjax.jax_release import installed_fault

# A faulty release fails the tests by JAX and passes them by fjax; on others the two are the same.
COMPILERS = {"jax": "from jax import jit"}
if installed_fault() is not None:
    COMPILERS["fjax"] = "from fjax.compiler import compile_function as jit"


@pytest.fixture(params=COMPILERS)
def compiled(request):
    """Compiles a function, in the way of JAX or of fjax."""
    return {"jax": jax.jit, "fjax": compile_function}[request.param]


@pytest.fixture(params=COMPILERS)
def import_jit(request):
    """The line of a program that imports `jit`, of JAX or of fjax."""
    return COMPILERS[request.param]


@pytest.fixture
def run_alone():
    """Runs a program that may kill its process, or never end, in a process of its own."""

    def run(program: str, timeout: float = 120) -> None:
        # As users compile: without the flags of these tests.
        environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        result = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert result.returncode == 0, f"exit status {result.returncode}\n{result.stderr}"

    return run
