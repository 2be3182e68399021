"""The arguments, inputs and outputs that all networks of `fjax.applications` have in common."""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fjax import activations
from fjax.core import SymbolicTensor
from fjax.errors import integer_at_least, one_of, warn_user
from fjax.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from fjax.models import Model
from fjax.utils import get_source_inputs

Tensor = Any
Shape = tuple[int | None, ...]


class Options(NamedTuple):
    """The arguments of all networks, as Keras names them.

    Attributes:
        include_top: Whether the network ends with the layers that classify.
        weights: The path of a file that `Model.load_weights` reads, or None for drawn weights.
        input_tensor: A symbolic tensor to begin with, in place of a new input.
        input_shape: The shape of an image, with None for an axis of any size.
        pooling: What an output without the top is pooled by: "avg", "max" or None.
        classes: The number of classes.
        classifier_activation: The activation of the last layer.
    """

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any


class Pools(NamedTuple):
    """The names of the layers that pool the features; None is the default name."""

    top: str | None = "avg_pool"
    avg: str | None = "avg_pool"
    max: str | None = "max_pool"


NAMED_POOLS = Pools()


def chain(x: Tensor, *layers: Any) -> Tensor:
    """Return the output of layers that are called in turn.

    >>> from fjax.layers import Dense
    >>> chain(Input((4,)), Dense(3), Dense(2)).shape
    (None, 2)
    """
    for layer in layers:
        x = layer(x)
    return x


def halving_pad(x: Tensor, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding with which a window of an odd size and stride 2 halves an image.

    >>> halving_pad(Input((8, 7, 3)), 3)
    ((0, 1), (1, 1))
    """
    before, after = (
        (size // 2 - (1 if length is None else 1 - length % 2), size // 2)
        for length in x.shape[1:3]
    )
    return before, after


def image_shape(options: Options, default_size: int, min_size: int) -> Shape:
    """Return the shape of an image.

    Args:
        options: The arguments of the network.
        default_size: Height and width where the top needs them and no shape is given.
        min_size: The smallest height and width.

    Raises:
        ValueError: The shape has not three axes, is too small, or has no size where the top needs
            one.
    """
    shape = options.input_shape
    if shape is None:
        size = default_size if options.include_top else None
        return size, size, 3
    shape = tuple(shape)
    if len(shape) != 3 or any(size is not None and size < min_size for size in shape[:2]):
        raise ValueError(
            "`input_shape` must be (height, width, channels) of an image of at least "
            f"{min_size}x{min_size}, received {shape}."
        )
    if shape[-1] not in (1, 3):
        warn_user(f"`input_shape`: images have 1 or 3 channels, received {shape[-1]}.")
    if options.include_top and None in shape:
        raise ValueError(
            f"`input_shape`: the top needs images of one size, received {shape}: give the sizes, "
            "or pass `include_top=False`."
        )
    return shape


def image_classifier(
    name: str,
    options: Options,
    shape: Shape,
    features: Callable[[Tensor], Tensor],
    *,
    pools: Pools = NAMED_POOLS,
    hidden: Sequence[Any] | None = None,
    kernel_initializer: Any = "glorot_uniform",
    hint: str = "",
) -> Model:
    """Return the model of a network for images, with the weights of a file if one is given.

    Args:
        name: The name of the model.
        options: The arguments of the network.
        shape: The shape of an image.
        features: Returns the features of images.
        pools: The names of the layers that pool.
        hidden: The layers between the features and the last one; by default, they are averaged.
        kernel_initializer: The initializer of the last layer.
        hint: What else a user of ImageNet's weights must do.

    Raises:
        ValueError: An argument is invalid, or `weights` is "imagenet", which is not shipped.
    """
    _check(options, hint)
    tensor = _input(options, shape)
    x = features(tensor)
    if options.include_top:
        last = Dense(
            options.classes, options.classifier_activation, name="predictions",
            kernel_initializer=kernel_initializer,
        )  # fmt: skip
        x = chain(x, *(hidden or [GlobalAveragePooling2D(name=pools.top)]), last)
    elif options.pooling == "avg":
        x = GlobalAveragePooling2D(name=pools.avg)(x)
    elif options.pooling == "max":
        x = GlobalMaxPooling2D(name=pools.max)(x)
    sources = tensor if options.input_tensor is None else get_source_inputs(tensor)
    model = Model(sources, x, name=name)
    if options.weights is not None:
        model.load_weights(options.weights)
    return model


def _check(options: Options, hint: str) -> None:
    """Raise if an argument is invalid."""
    weights = options.weights
    if weights == "imagenet":
        raise ValueError(
            '`weights="imagenet"`: fjax ships no weights and downloads none: download the file '
            f"that Keras publishes, and pass its path as `weights=`.{hint} For drawn weights, "
            "pass `weights=None`."
        )
    if weights is not None and not os.path.isfile(weights):
        raise ValueError(
            f"`weights` must be None or the path of a file with weights, received {weights!r}: "
            "there is no such file."
        )
    one_of("weights", "pooling", options.pooling, [None, "avg", "max"])
    integer_at_least("weights", "classes", options.classes, 1)
    activation = activations.get(options.classifier_activation)
    known = [activations.get(name) for name in (None, "softmax")]
    if weights is not None and options.include_top and activation not in known:
        raise ValueError(
            '`classifier_activation` must be None or "softmax" where `weights` is a file, received '
            f"{options.classifier_activation!r}."
        )


def _input(options: Options, shape: Shape) -> Tensor:
    """Return the tensor that the network begins with."""
    tensor = options.input_tensor
    if tensor is None:
        return Input(shape)
    if not isinstance(tensor, SymbolicTensor):
        raise TypeError(
            "`input_tensor` must be a symbolic tensor, such as `fjax.Input((224, 224, 3))`, "
            f"received {type(tensor).__name__}."
        )
    if options.input_shape is not None and tensor.shape[1:] != shape:
        raise ValueError(
            f"`input_shape` is {shape}, but `input_tensor` has images of shape {tensor.shape[1:]}: "
            "leave one of them out."
        )
    return tensor
