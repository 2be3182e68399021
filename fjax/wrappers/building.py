"""Compiled models for estimators: built by a function, or cloned."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.losses import Loss
from fjax.models import Model, clone_model
from fjax.wrappers.examples import Examples
from fjax.wrappers.parameters import BuilderArguments


def is_builder(model: Any) -> bool:
    """Return whether this is a function that builds models."""
    return callable(model) and not isinstance(model, Model)


def call_builder(estimator: Any, parameters: Mapping[str, Any], examples: Examples) -> Model:
    """Return the compiled model that the function of an estimator builds.

    Args:
        estimator: The estimator, whose `model` is the function.
        parameters: The arguments of the function, without the data and `meta`.
        examples: The data, for a function with `X` and `y` or with `meta`.

    Raises:
        ValueError: An argument is unknown or missing, or is also a parameter of the estimator.
        TypeError: The function does not return a compiled model.
    """
    owner, own_parameters = type(estimator).__name__, estimator._get_param_names()
    arguments = BuilderArguments(estimator.model)
    arguments.check_names(owner, parameters, own_parameters)
    name = arguments.name
    shared = sorted({*arguments.required, *arguments.defaults} & set(own_parameters))
    if shared:
        raise ValueError(
            f"`{name}` has the argument `{shared[0]}`, which is a parameter of `{owner}` itself: "
            "rename the argument."
        )
    missing = [argument for argument in arguments.required if argument not in parameters]
    if missing:
        raise ValueError(
            f"`{name}` needs `{missing[0]}`: pass a value to the estimator, as in "
            f"`{owner}({name}, {missing[0]}=…)`."
        )
    passed = dict(parameters)
    if arguments.takes_data:
        passed |= {"X": examples.x, "y": estimator.target_columns(examples)}
    if arguments.takes_meta:
        passed["meta"] = {
            "n_features_in_": examples.x.shape[1],
            "n_outputs_": estimator.target_columns(examples.rows([0])).shape[1],
            "X_shape_": examples.x.shape,
        }
        if examples.classes is not None:
            passed["meta"] |= {"classes_": examples.classes, "n_classes_": len(examples.classes)}
    return check_compiled(owner, name, estimator.model(**passed))


def clone_compiled(owner: str, model: Any) -> Model:
    """Return a clone of a compiled model, with the same seed and new weights.

    Raises:
        TypeError: It is not a compiled model.
    """
    if not isinstance(model, Model):
        raise TypeError(
            f"`{owner}`: `model` must be a function that returns a compiled `fjax.Model`, or such "
            f"a model, received {model!r}."
        )
    config = model.model_parts.config
    if config is None:
        raise TypeError(
            f"`{owner}`: the model {model.name!r} is not compiled: call "
            "`model.compile(optimizer=…, loss=…)` first."
        )
    twin = clone_model(model)
    twin.model_parts.weights.seed = model.model_parts.weights.seed
    twin.model_parts.set_config(config, twin.model_parts.placement)
    twin.run_eagerly = model.run_eagerly
    return twin


def check_compiled(owner: str, name: str, model: Any) -> Model:
    """Return the result of the function `name`, or raise TypeError if it is no compiled model."""
    if not isinstance(model, Model):
        raise TypeError(
            f"`{owner}`: `{name}` must end with `return model`, a compiled `fjax.Model`, it "
            f"returned {model!r}."
        )
    if model.model_parts.config is None:
        raise TypeError(
            f"`{owner}`: `{name}` returned a model that is not compiled: call "
            "`model.compile(optimizer=…, loss=…)` in it."
        )
    return model


def output_shape(owner: str, model: Model, x: np.ndarray) -> tuple[int, ...]:
    """Return the shape of the output for one sample; the model is built for these inputs.

    Raises:
        ValueError: The model has several inputs or outputs, or the inputs do not fit the model.
    """
    batch = Examples(x, x).batch
    model.build_for(batch)
    model.input_expectation()(batch)
    for kind, names in (("inputs", model.input_names), ("outputs", model.output_names)):
        if len(names) != 1:
            raise ValueError(
                f"`{owner}` takes a model with one input and one output, {model.name!r} has the "
                f"{kind} {', '.join(names)}."
            )
    return tuple(model.output_shape[1:])


def loss_of(model: Model) -> Loss | str | None:
    """Return the loss of the output of a model; "crossentropy" if the shapes decide its kind."""
    (name,) = model.output_names
    parts = model.model_parts
    outputs = parts.architecture.output_tree()
    return parts.require_config("fit").by_output(outputs, [name])[name].loss
