"""Check the arguments of `compile`, and resolve the names of optimizers, losses and metrics."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fjax import losses, metrics, optimizers
from fjax.errors import number_between
from fjax.losses.names import log_name
from fjax.models.arguments import check_steps
from fjax.models.compile_config import CompileConfig, as_tuple

# Names whose meaning depends on the shapes of targets and outputs.
CROSSENTROPY = ("crossentropy", "ce")
BY_SHAPES = ("accuracy", "acc", *CROSSENTROPY)


def check_execution(steps_per_execution: Any, jit_compile: Any) -> None:
    """Raise ValueError if an argument of `compile` about the execution is invalid."""
    if jit_compile not in (True, False, "auto"):
        raise ValueError(
            f'`compile`: `jit_compile` must be True, False or "auto", received {jit_compile!r}.'
        )
    check_steps("compile", "steps_per_execution", steps_per_execution)


def make_config(
    optimizer: Any,
    loss: Any,
    loss_weights: Any = None,
    metric_identifiers: Any = None,
    weighted_metrics: Any = None,
    train_step: Any = None,
    test_step: Any = None,
) -> CompileConfig:
    """Return the arguments of `compile`, resolved; a misspelled name raises an error here."""
    for argument, step in (("train_step", train_step), ("test_step", test_step)):
        if step is not None and not callable(step):
            raise TypeError(
                f"`compile`: `{argument}` must be a function of `(train_state, batch)`, received "
                f"{step!r}."
            )
    return CompileConfig(
        optimizer=optimizers.get(optimizer),
        loss=_losses(loss),
        loss_names=loss_names(loss),
        loss_weights=_loss_weights(loss_weights),
        metrics=_metrics("metrics", metric_identifiers),
        weighted_metrics=_metrics("weighted_metrics", weighted_metrics),
        train_step=train_step,
        test_step=test_step,
    )


def _losses(loss: Any) -> Any:
    resolved = _map_entries(_loss, loss)
    if isinstance(resolved, dict | tuple) and not any(_entries(resolved)):
        raise ValueError(
            f"`compile`: `loss={loss!r}` has no loss for any output: name a loss, or leave "
            "`loss` out."
        )
    return resolved


def _map_entries(function: Callable[[Any], Any], value: Any) -> Any:
    """Return nested dicts and lists with a function of each entry; lists become tuples."""
    if isinstance(value, Mapping) and "class_name" not in value:
        return {key: _map_entries(function, entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_map_entries(function, entry) for entry in value)
    return function(value)


def _entries(value: Any) -> Iterator[Any]:
    """Yield the entries of nested dicts and tuples."""
    if isinstance(value, dict | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _entries(inner)
    else:
        yield value


def _loss(loss: Any) -> Any:
    if loss is None or (isinstance(loss, str) and loss.lower() in CROSSENTROPY):
        return loss
    return losses.as_loss(loss)


def loss_names(loss: Any) -> Any:
    """Return the name of each loss in logs, in the structure of the losses.

    >>> loss_names({"a": "mse", "b": [losses.Huber(), None]})
    {'a': 'mse', 'b': ('huber_loss', None)}
    """
    return _map_entries(lambda entry: None if entry is None else log_name(entry), loss)


def _loss_weights(loss_weights: Any) -> Any:
    if loss_weights is None:
        return None
    if isinstance(loss_weights, Mapping | list | tuple):
        return _nested_weights("loss_weights", loss_weights)
    return _weight("loss_weights", loss_weights)


def _nested_weights(where: str, weights: Any) -> Any:
    if isinstance(weights, Mapping):
        return {key: _nested_weights(f"{where}[{key!r}]", w) for key, w in weights.items()}
    if isinstance(weights, list | tuple):
        return tuple(_nested_weights(f"{where}[{i}]", w) for i, w in enumerate(weights))
    return None if weights is None else _weight(where, weights)


def _weight(where: str, weight: Any) -> float:
    return number_between("compile", where, weight, -float("inf"))


def _metrics(argument: str, value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: as_tuple(_map_entries(_identifier, entry)) for name, entry in value.items()}
    if not isinstance(value, list | tuple):
        raise TypeError(
            f'`compile`: `{argument}` must be a list, such as {argument}=["accuracy"], or a dict '
            f"by output, received {value!r}."
        )
    return _map_entries(_identifier, value)


def _identifier(identifier: Any) -> Any:
    """Return the identifier of a metric, checked; for a class, an object, used in all runs."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in BY_SHAPES:
        return identifier
    metric = metrics.get(identifier)
    return metric if isinstance(identifier, type) else identifier
