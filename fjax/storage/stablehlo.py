"""Programs as files of StableHLO, which JAX reads without fjax."""

from collections.abc import Callable, Sequence
from typing import Any

from fjax.compiler import export_function
from fjax.errors import import_extra
from fjax.storage.atomic import write_atomically

# All platforms that JAX has: a program takes little more room for several.
PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def write_stablehlo(
    path: Any, function: Callable[..., Any], specs: Sequence[Any], platforms: Sequence[str]
) -> None:
    """Write the program of a function of arrays; `jax.export.deserialize` reads the bytes.

    Args:
        path: The file.
        function: The function. The arrays that it closes over are part of the program.
        specs: The shapes and dtypes of its arguments; sizes may be symbolic.
        platforms: The platforms on which the program shall run.

    Raises:
        ImportError: flatbuffers is missing, the format of the file.
    """
    import_extra("export", "flatbuffers", "flatbuffers", "export")
    content = bytes(export_function(function, platforms, *specs).serialize())
    write_atomically(path, lambda: [content])
