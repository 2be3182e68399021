"""`Model.export`: a model's program for inference, or its weights, as a file for other tools."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.export
import numpy as np

from fjax.core.key_use import draws_random_numbers
from fjax.core.masking import strip_masks
from fjax.core.placeholders import PLACEHOLDER_SIZES
from fjax.core.precision import apply_layer
from fjax.core.reserved import has_carry, only_weights
from fjax.data.text_encoding import encodes_text
from fjax.jax_release import export_promise
from fjax.models.model_parts import ModelParts
from fjax.storage.model_file import check_target, write_plain_weights
from fjax.storage.onnx_file import write_onnx
from fjax.storage.stablehlo import PLATFORMS, write_stablehlo
from fjax.typing import PyTree

# The arguments that each format has beside those that all have.
FORMATS = {
    "stablehlo": ("input_signature", "platforms"),
    "onnx": ("input_signature", "opset_version"),
    "safetensors": (),
}


def export(parts: ModelParts, path: Any, format: str, verbose: bool | None, **options: Any) -> None:
    """Write a model's program or weights; see `Model.export`."""
    _check_format(format, options)
    check_target(path, overwrite=True, function="export")
    parts.weights.check_statistics()
    if format == "safetensors":
        train_state = parts.weights.train_state
        write_plain_weights(path, train_state.params, only_weights(train_state.state))
    else:
        _check_network(parts)
        _write_program(parts, path, format, options)
    if verbose or verbose is None:
        promise = f" JAX promises to read it in {export_promise()}."
        print(
            f"Exported the model {parts.architecture.name!r} to {str(path)!r}."
            f"{promise if format == 'stablehlo' else ''}"
        )


def _check_format(format: str, options: Mapping[str, Any]) -> None:
    if format not in FORMATS:
        raise ValueError(
            f"`export`: the formats are {', '.join(map(repr, FORMATS))}, received {format!r}"
            f"{', the default of Keras' if format == 'tf_saved_model' else ''}: pass "
            '`format="stablehlo"` for JAX, `format="onnx"` for other frameworks, or '
            '`format="safetensors"` for the weights alone.'
        )
    for argument, value in options.items():
        if value is not None and argument not in FORMATS[format]:
            taking = " or ".join(f'"{name}"' for name, has in FORMATS.items() if argument in has)
            raise ValueError(
                f"`export`: `{argument}` has a meaning for `format={taking}`, received "
                f"`format={format!r}`: leave it out."
            )


def _write_program(parts: ModelParts, path: Any, format: str, options: Mapping[str, Any]) -> None:
    """Write the program for inference.

    Raises:
        ValueError: The program cannot be traced or converted.
    """
    architecture = parts.architecture
    specs = _input_specs(parts, options["input_signature"])
    program = _inference(parts)
    try:
        if format == "onnx":
            names = (architecture.input_names(), architecture.output_names())
            write_onnx(path, program, specs, names, options["opset_version"])
        else:
            write_stablehlo(path, program, specs, options["platforms"] or PLATFORMS)
    except (ImportError, OSError):
        raise
    except Exception as error:
        shapes = ", ".join(str(spec.shape) for spec in jax.tree.leaves(specs))
        # The layer is in a note; JAX has one more, about its traceback.
        notes = "".join(f" {n}" for n in getattr(error, "__notes__", []) if n.startswith("In "))
        raise ValueError(
            f"`export`: the model {architecture.name!r} cannot be exported for inputs of shape "
            f"{shapes}: {error}{notes} Code of your own must be what JAX can trace; if it needs "
            "to know a size, fix it, as by `input_signature=[fjax.InputSpec(shape=(1, 8))]`."
        ) from error


def _check_network(parts: ModelParts) -> None:
    """Raise ValueError if a file cannot hold what the model does in `predict`."""
    architecture, name = parts.architecture, parts.architecture.name
    built = architecture.built
    if encodes_text(architecture.layer_tree, len(jax.tree.leaves(built.specs))):
        raise ValueError(
            f"`export`: the model {name!r} begins with a layer that encodes text, which arrays "
            "cannot hold: export a model of the layers behind it, such as "
            "`fjax.Sequential(model.layers[1:])`, and encode the text before by "
            "`model.layers[0](texts)`."
        )
    if has_carry(built.layer_shapes.state):
        raise ValueError(
            f"`export`: the model {name!r} has a layer with `stateful=True`, which remembers its "
            "last batch, but an exported program has no memory: export a model without "
            "`stateful`, or one that takes and returns the states."
        )
    if draws_random_numbers(architecture.network, built.layer_shapes, *built.specs, training=False):
        raise ValueError(
            f"`export`: the model {name!r} draws random numbers in `predict`, but an exported "
            "program would draw the same ones each time: export a model without this layer, or "
            "call it without `training=True`."
        )


def _inference(parts: ModelParts) -> Any:
    """Return the function of a model's inputs that returns its outputs."""
    network = parts.architecture.network
    train_state = parts.weights.train_state
    params, state = jax.tree.map(np.asarray, (train_state.params, train_state.state))

    def predict(*inputs: PyTree) -> PyTree:
        return strip_masks(apply_layer(network, params, state, *inputs)[0])

    return predict


def _input_specs(parts: ModelParts, signature: Any) -> tuple[PyTree, ...]:
    """Return the inputs' shapes and dtypes, with a symbolic size for each axis of any size."""
    built = parts.architecture.built
    leaves, structure = jax.tree.flatten(built.specs)
    placeholder, _ = PLACEHOLDER_SIZES[0]
    shapes = [
        (None if spec.shape[0] == placeholder else spec.shape[0], *sample)
        for spec, sample in zip(leaves, built.sample_shapes, strict=True)
    ]
    if signature is not None:
        shapes = _signature_shapes(signature, shapes)
    scope, numbers = jax.export.SymbolicScope(), itertools.count(1)
    specs = [
        jax.ShapeDtypeStruct(
            jax.export.symbolic_shape(",".join(_dimensions(shape, numbers)), scope=scope),
            spec.dtype,
        )
        for shape, spec in zip(shapes, leaves, strict=True)
    ]
    unflattened: tuple[PyTree, ...] = jax.tree.unflatten(structure, specs)
    return unflattened


def _dimensions(shape: Sequence[int | None], numbers: Iterator[int]) -> list[str]:
    """Return the dimensions by name or size; all inputs have the same batch."""
    return [
        str(size) if size is not None else "batch" if axis == 0 else f"size{next(numbers)}"
        for axis, size in enumerate(shape)
    ]


def _signature_shapes(signature: Any, expected: list[Any]) -> list[tuple[int | None, ...]]:
    """Return the shapes of an `input_signature`, after comparing them with those of the model."""
    entries = jax.tree.leaves(signature, is_leaf=lambda entry: hasattr(entry, "shape"))
    shapes: list[Any] = [getattr(entry, "shape", None) for entry in entries]
    fits = len(shapes) == len(expected) and all(
        shape is not None
        and len(shape) == len(sizes)
        and all(None in pair or len(set(pair)) == 1 for pair in zip(shape, sizes, strict=True))
        for shape, sizes in zip(shapes, expected, strict=True)
    )
    if not fits:
        raise ValueError(
            "`export`: `input_signature` must have an `fjax.InputSpec` with a shape that fits for "
            f"each input; the inputs have the shapes {', '.join(map(str, expected))}, received "
            f"{signature!r}."
        )
    return [
        tuple(size if given is None else given for given, size in zip(shape, sizes, strict=True))
        for shape, sizes in zip(shapes, expected, strict=True)
    ]
