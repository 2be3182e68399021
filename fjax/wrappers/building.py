"""A fresh compiled model for an estimator: of a function, or as a clone."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fjax.losses import Loss
from fjax.models import Model, clone_model
from fjax.wrappers.examples import Examples
from fjax.wrappers.parameters import DATA, META, Arguments, name_of


def is_builder(model: Any) -> bool:
    """Tell whether this is a function that builds models."""
    return callable(model) and not isinstance(model, Model)


def built_by(
    owner: str,
    build: Callable[..., Any],
    given: Mapping[str, Any],
    own: Iterable[str],
    data: Callable[[], tuple[np.ndarray, np.ndarray]],
    meta: Mapping[str, Any],
) -> Model:
    """Return the model that a function builds, checked.

    Args:
        owner: The estimator's class.
        build: The function.
        given: Its arguments, without the data and `meta`.
        own: The names of the estimator's own parameters.
        data: Returns inputs and targets, for a function with `X` and `y`: one column for each
            output or class.
        meta: The facts, for a function with `meta`.

    Raises:
        ValueError: An argument is not known, is missing or has the name of one of the estimator's
            own parameters.
        TypeError: The function returned no compiled model.
    """
    arguments = Arguments(build)
    arguments.check_known(owner, build, given, own)
    name = name_of(build)
    both = sorted({*arguments.required, *arguments.defaults} & set(own))
    if both:
        raise ValueError(
            f"`{name}` takes `{both[0]}`, which is a parameter of `{owner}` itself: call the "
            "function's argument otherwise."
        )
    missing = [argument for argument in arguments.required if argument not in given]
    if missing:
        raise ValueError(
            f"`{name}` needs `{missing[0]}`: give the estimator a value, as in "
            f"`{owner}({name}, {missing[0]}=…)`."
        )
    examples = dict(zip(DATA, data(), strict=True)) if arguments.takes_data else {}
    facts = {META: dict(meta)} if arguments.takes_meta else {}
    return compiled_model(owner, name, build(**examples, **facts, **given))


def cloned(owner: str, model: Any) -> Model:
    """Return a clone of a compiled model: of its seed, with weights that are drawn anew."""
    if not isinstance(model, Model):
        raise TypeError(
            f"`{owner}`: `model` must be a function that returns a compiled `fjax.Model`, or such "
            f"a model, received {model!r}."
        )
    if model.model_parts.config is None:
        raise TypeError(
            f"`{owner}`: the model {model.name!r} is not compiled: call "
            "`model.compile(optimizer=…, loss=…)` first."
        )
    twin = clone_model(model)
    twin.model_parts.weights.seed = model.model_parts.weights.seed
    twin.compile(**model.model_parts.config._asdict(), run_eagerly=model.run_eagerly)
    return twin


def compiled_model(owner: str, name: str, model: Any) -> Model:
    """Return what a function of this name returned, a compiled model, or raise TypeError."""
    if model is None:
        raise TypeError(
            f"`{owner}`: `{name}` returned None: let it end with `return model`, a compiled "
            "`fjax.Model`."
        )
    if not isinstance(model, Model):
        raise TypeError(
            f"`{owner}`: `{name}` must return a compiled `fjax.Model`, it returned {model!r}."
        )
    if model.model_parts.config is None:
        raise TypeError(
            f"`{owner}`: `{name}` returned a model that is not compiled: let it call "
            "`model.compile(optimizer=…, loss=…)`."
        )
    return model


def output_shape(owner: str, model: Model, x: np.ndarray) -> tuple[int, ...]:
    """Return the shape of one sample's output, of a model that is built for these inputs.

    Raises:
        ValueError: The model has several inputs or outputs, or the inputs do not fit.
    """
    batch = Examples(x, x).batch
    model.build_for(batch)
    model.input_expectation()(batch)
    names = {"inputs": model.input_names, "outputs": model.output_names}
    for what, found in names.items():
        if len(found) != 1:
            raise ValueError(
                f"`{owner}` takes a model of one input and one output, {model.name!r} has the "
                f"{what} {', '.join(found)}."
            )
    return tuple(model.output_shape[1:])


def loss_of(model: Model) -> Loss | str | None:
    """Return the loss of a model's one output, "crossentropy" where the shapes decide its kind."""
    assert model.model_parts.config is not None
    return model.model_parts.config.by_output(model.output_names)[model.output_names[0]].loss
