"""Programs as files of ONNX, converted by jax2onnx and checked with onnxruntime."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fjax.errors import import_extra
from fjax.storage.atomic import write_atomically
from fjax.storage.portable import portable_program

# What the converted program may differ by from the model, in the check after the conversion.
RELATIVE, ABSOLUTE = 1e-3, 1e-4
# The sizes of axes of any size in the check: those of the batch, and of the others.
CHECK_SIZES = {"batch": 2}
OTHER_SIZE = 5


def write_onnx(
    path: Any,
    function: Callable[..., Any],
    specs: Sequence[Any],
    names: tuple[Sequence[str], Sequence[str]],
    opset: int | None,
) -> None:
    """Write the program of a function of arrays as an ONNX model, after checking its outputs.

    Args:
        path: The file.
        function: The function. The arrays that it closes over are part of the program.
        specs: The shapes and dtypes of its arguments; sizes may be symbolic.
        names: The names of the inputs and of the outputs in the file.
        opset: The version of ONNX's operators; by default that of jax2onnx.

    Raises:
        ImportError: jax2onnx or onnxruntime is missing.
        ValueError: An operation cannot be converted, or the converted program computes something
            else for drawn inputs.
    """
    converter = import_extra("export", "jax2onnx", "jax2onnx", "export")
    runtime = import_extra("export", "onnxruntime", "onnxruntime", "export")
    traced = jax.make_jaxpr(lambda *leaves: jax.tree.leaves(_call(function, specs, leaves)))
    program = traced(*jax.tree.leaves(specs))
    evaluate = portable_program(program)
    inputs, outputs = names
    options = {} if opset is None else {"opset": opset}
    log = logging.getLogger("onnx_ir")
    level = log.level
    log.setLevel(logging.ERROR)  # It warns of shapes that are only known when the model runs.
    try:
        model = converter.to_onnx(
            lambda *leaves: tuple(evaluate(*leaves)),
            jax.tree.leaves(specs),
            input_names=list(inputs),
            output_names=list(outputs),
            **options,
        )
    except Exception as error:
        raise ValueError(
            f"jax2onnx cannot convert it: {error} ({type(error).__name__}). Replace the layer that "
            'needs this, or export with `format="stablehlo"`.'
        ) from error
    finally:
        log.setLevel(level)
    content = model.SerializeToString()
    _check(runtime, content, function, specs, list(inputs))
    write_atomically(path, lambda: [content])


def _call(function: Callable[..., Any], specs: Sequence[Any], leaves: Sequence[Any]) -> Any:
    return function(*jax.tree.unflatten(jax.tree.structure(specs), leaves))


def _check(
    runtime: Any, content: bytes, function: Callable[..., Any], specs: Any, names: list[str]
) -> None:
    """Raise ValueError if the converted program computes something else for drawn inputs."""
    random = np.random.default_rng(0)
    arrays = [_draw(spec, random) for spec in jax.tree.leaves(specs)]
    expected = jax.tree.leaves(_call(function, specs, arrays))
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # The error is raised as well.
    try:
        session = runtime.InferenceSession(content, options, ["CPUExecutionProvider"])
        outputs = session.run(None, dict(zip(names, arrays, strict=True)))
    except Exception as error:
        raise ValueError(
            f"onnxruntime cannot run what jax2onnx has converted: {error} Export with "
            '`format="stablehlo"`.'
        ) from error
    for output, array in zip(outputs, expected, strict=True):
        array = np.asarray(array)
        if not np.allclose(output, array, RELATIVE, ABSOLUTE * max(1.0, np.abs(array).max())):
            raise ValueError(
                "the model that jax2onnx has converted computes something else: outputs differ by "
                f'{np.abs(output - array).max():.3g}. Export with `format="stablehlo"`.'
            )


def _draw(spec: Any, random: np.random.Generator) -> np.ndarray:
    """Return a drawn input; integers are 0 or 1, which most vocabularies have."""
    sizes = [
        size if isinstance(size, int) else CHECK_SIZES.get(str(size), OTHER_SIZE)
        for size in spec.shape
    ]
    if jax.numpy.issubdtype(spec.dtype, jax.numpy.floating):
        return random.normal(size=sizes).astype(spec.dtype)
    return random.integers(0, 2, sizes).astype(spec.dtype)
