"""The declared input of a model (`InputLayer`), and checks of input values."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax.configuration import SEALED, field
from fjax.core.checks import normalize_shape, single_input
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.placeholders import placeholder_spec
from fjax.core.symbolic import Node, input_tensor
from fjax.core.text_inputs import STRING
from fjax.core.weight_slot import find_slot, give_slots, slot_of
from fjax.errors import integer_at_least, warn_user
from fjax.typing import Array, Key, Params, Spec, State


class InputLayer(Layer):
    """The declared input of a model: checks the shape of inputs and casts them to the dtype.

    Args:
        shape: The shape of one sample, without the batch axis; None for an axis of any size.
        batch_size: The size of the batch axis, if it is fixed.
        dtype: The dtype that inputs are cast to on the device, float32 by default, so that images
            can be passed as bytes. "string" declares text, which a text layer of the model
            converts to numbers on the host.
        batch_shape: The shape with the batch axis, in place of `shape` and `batch_size`.
        input_tensor: A symbolic tensor whose shape and dtype are declared; the other arguments may
            only repeat them.
        observed: Whether the shape is that of a first batch: then batches of other sizes are
            accepted if the layers accept them.

    Raises:
        ValueError: The shape or dtype is invalid, or inputs do not have the declared shape.

    Source: Keras's page "Input object".

    >>> import jax.numpy as jnp
    >>> outputs, _ = InputLayer((2,)).apply({}, {}, jnp.zeros((3, 2), "uint8"))
    >>> outputs.dtype.name
    'float32'
    """

    fields_beyond_keras = frozenset({"observed"})
    masking = "keeps"
    casting = "none"
    has_policy = False

    shape: Any = None
    batch_size: int | None = None
    dtype: str | None = "float32"
    observed: bool = field(default=False, kw_only=True)
    batch_shape: tuple[int | None, ...] | None = field(default=None, kw_only=True)
    input_tensor: Any = field(default=None, kw_only=True)

    _renamed: ClassVar[Mapping[str, str]] = {"batch_input_shape": "batch_shape"}
    # Arrays are dense, and no input of a model may be missing.
    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = dict.fromkeys(
        ("sparse", "ragged", "optional"), (None, False)
    )

    @property
    def rows_independent(self) -> bool:
        """Whether any number of rows is allowed."""
        return self.batch_size is None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_tensor is not None:
            self._read_tensor(self.input_tensor)
        if self.input_shape is not None:
            self._warn_of_input_shape()
            self.shape, self.input_shape = self.input_shape, None
        if self.batch_shape is not None:
            self._read_batch_shape()
        if self.shape is None:
            raise ValueError(
                "`InputLayer` needs the shape of one sample, as in `InputLayer((28, 28))`, or "
                "`batch_shape` or `input_tensor`."
            )
        self.shape = normalize_shape("InputLayer", "shape", self.shape)
        if self.batch_size is not None:
            self.batch_size = integer_at_least("InputLayer", "batch_size", self.batch_size, 1)
        if self.dtype in ("string", "str", str):
            self.dtype = "string"
            return
        try:
            # Without JAX's 64-bit mode int64 becomes int32.
            self.dtype = jax.dtypes.canonicalize_dtype(self.dtype or "float32").name
        except TypeError:
            raise ValueError(
                f"`InputLayer`: `dtype` must be the name of a numeric dtype such as 'float32', or "
                f"'string', received {self.dtype!r}."
            ) from None

    def resolve_dtype(self, dtype: Any) -> Any:
        """Return the dtype as it is: it is that of the inputs, and no policy."""
        return dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the outputs."""
        return str(self.dtype)

    @property
    def variable_dtype(self) -> str:
        """The dtype of the outputs; there are no weights."""
        return str(self.dtype)

    def _read_tensor(self, tensor: Any) -> None:
        if not hasattr(tensor, "__call_layer__"):
            raise TypeError(
                f"`InputLayer`: `input_tensor` must be a symbolic tensor, received {tensor!r}."
            )
        batch_size, *sizes = tensor.shape
        known = {
            "shape": (self.shape, None, tuple(sizes)),
            "batch_size": (self.batch_size, None, batch_size),
            "batch_shape": (self.batch_shape, None, tensor.shape),
            "dtype": (self.dtype, "float32", tensor.dtype),
        }
        for argument, (value, default, expected) in known.items():
            if value not in (None, default, expected):
                raise ValueError(
                    f"`InputLayer`: `{argument}` must be that of `input_tensor`, {expected!r}, "
                    f"received {value!r}. Remove it."
                )
        self.shape, self.batch_size, self.dtype = tuple(sizes), batch_size, tensor.dtype
        self.batch_shape = self.input_tensor = None
        self._keep_node(tensor.node)

    def _read_batch_shape(self) -> None:
        whole = self.batch_shape
        is_shape = isinstance(whole, list | tuple) and len(whole) > 0
        if not is_shape or self.shape is not None or self.batch_size is not None:
            raise ValueError(
                "`InputLayer`: `batch_shape` is a shape with the batch axis, as in (None, 8), in "
                f"place of `shape` and `batch_size`, received {whole!r}, with "
                f"shape={self.shape!r} and batch_size={self.batch_size!r}."
            )
        assert whole is not None
        # Equal declarations are equal, however they were written.
        self.batch_size, self.shape, self.batch_shape = whole[0], tuple(whole[1:]), None

    def _warn_of_input_shape(self) -> None:
        if self.shape is not None:
            raise TypeError(
                "`InputLayer` was given `shape` and its older spelling `input_shape`: pass only "
                "`shape`."
            )
        warn_user(
            "`InputLayer(input_shape=…)` is an older spelling of `shape=`.", DeprecationWarning
        )

    def symbolic_node(self) -> Node:
        """Return the node of the declared input, whose output is a symbolic tensor."""
        slot = find_slot(self)
        if slot is None or slot.node is None:
            self._keep_node(input_tensor(self).node)
        node: Node = slot_of(self).node()
        return node

    def _keep_node(self, node: Node) -> None:
        give_slots(self)
        # Unlike a layer that is called, this one keeps its tensor.
        slot_of(self).node = lambda: node

    def count_params(self) -> int:
        """Return 0: a declared input has no weights, and is always built."""
        return 0

    @property
    def takes_text(self) -> bool:
        """Whether the declared dtype is text."""
        return self.dtype == "string"

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Check the spec against the declared shape; there are no weights."""
        if self.dtype != "string":
            spec = single_input("InputLayer", specs)
            self._check_shape(jax.eval_shape(lambda x: adjust_rank(x, self.shape), spec).shape)
        return {}, {}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs in the declared dtype."""
        values = single_input("InputLayer", inputs)
        if self.dtype == "string":
            # Text, or the numbers that a text layer has made of it.
            return values, state
        values = adjust_rank(jnp.asarray(values), self.shape)
        self._check_shape(values.shape)
        return values.astype(self.dtype), state

    def spec(self, which: int) -> jax.ShapeDtypeStruct:
        """Return the declared input at one of the `PLACEHOLDER_SIZES`."""
        dtype = STRING if self.dtype == "string" else self.dtype
        return placeholder_spec(self.shape, dtype, which, self.batch_size)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        sizes = (None,) * len(self.shape) if self.observed else self.shape
        declared = (self.batch_size, *sizes)
        if len(shape) != len(declared) or any(
            expected not in (None, size) for expected, size in zip(declared, shape, strict=True)
        ):
            advice = f"one sample must have shape {self.shape}."
            if self.batch_size is not None and tuple(shape[1:]) == tuple(self.shape):
                advice = (
                    f"each batch must have the declared size, also the last one: pass "
                    f"`batch_size={self.batch_size}`, and a number of rows that it divides."
                )
            raise ValueError(
                f"The declared input has shape {declared}, received {tuple(shape)}: {advice}"
            )


class _BatchShape:
    """The attribute `batch_shape`: the whole shape, however it was declared."""

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        if layer is None:
            return None
        if SEALED in vars(layer):
            return (layer.batch_size, *layer.shape)
        return vars(layer).get("batch_shape")

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)["batch_shape"] = value


InputLayer.batch_shape = _BatchShape()  # type: ignore[assignment]


def adjust_rank(array: Any, shape: tuple[int | None, ...]) -> Any:
    """Return an array with a last axis of size 1 added or removed, if samples need it.

    >>> adjust_rank(jnp.ones((5, 3)), (3, 1)).shape, adjust_rank(jnp.ones((5, 3, 1)), (3,)).shape
    ((5, 3, 1), (5, 3))
    """
    missing = 1 + len(shape) - array.ndim
    if missing == 1 and shape[-1] == 1:
        return array[..., None]
    if missing == -1 and array.shape[-1] == 1:
        return array[..., 0]
    return array


def check_inputs(name: str, layer: Any, values: tuple[Any, ...]) -> None:
    """Call the layer's `check_inputs` on a model's data, if it has one; errors name the layer."""
    check = getattr(layer, "check_inputs", None)
    if check is not None:
        with layer_context(name, layer, values):
            check(*values)
