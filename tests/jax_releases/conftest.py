"""How the tests of JAX releases compile and run their programs."""

import os
import subprocess
import sys

import jax
import pytest

from fjax.compiler import compile_function
from fjax.jax_release import installed_fault

# With a faulty release the tests fail if JAX compiles them and pass if fjax does. With any other
# release both are the same.
COMPILERS = {"jax": "from jax import jit"}
if installed_fault() is not None:
    COMPILERS["fjax"] = "from fjax.compiler import compile_function as jit"


@pytest.fixture(params=COMPILERS)
def compiled(request):
    """Return a function that compiles as JAX or as fjax does."""
    return {"jax": jax.jit, "fjax": compile_function}[request.param]


@pytest.fixture(params=COMPILERS)
def import_jit(request):
    """Return the line of a program that imports `jit`, from JAX or from fjax."""
    return COMPILERS[request.param]


@pytest.fixture
def run_alone():
    """Return a function that runs a program in a separate process, since it may crash or hang."""

    def run(program: str, timeout: float = 120) -> None:
        # Without the compiler flags of these tests, as users compile.
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
