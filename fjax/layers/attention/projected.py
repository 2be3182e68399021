"""Attention with several heads, each with its own projections of query, key and value."""

import math
from typing import Any, ClassVar, NamedTuple

import jax

from fjax import initializers
from fjax.core.layer import Layer
from fjax.core.masking import with_mask
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.core.reserved import PENALTY
from fjax.errors import integer_at_least, one_of
from fjax.layers.array_layer import resolve_functions
from fjax.layers.attention.dropout import check_dropout, drop_weights
from fjax.layers.attention.inputs import (
    MASKS,
    NAMES,
    OPTIONS,
    AttentionInputs,
    input_features,
    parse_inputs,
)
from fjax.layers.attention.layout import AttentionLayout, attention_layout
from fjax.layers.attention.masks import combined_mask
from fjax.layers.einsum_dense import with_fans
from fjax.lowering.attention import attention_weights, weighted_values
from fjax.lowering.linear import linear
from fjax.typing import Array, Key, Params, Spec, State

# The projection that comes after attention; all others come before.
OUTPUT = "attention_output"


class Heads(NamedTuple):
    """The number of heads and their sizes; keys and values may have fewer heads than queries."""

    query: int
    key_value: int
    key_dim: int
    value_dim: int


class ProjectedAttention(Layer):
    """Base of attention layers with heads, each with its own projections of query, key and value.

    A subclass defines `heads`, and has `output_shape`, `attention_axes` and the arguments that
    `MultiHeadAttention` and `GroupQueryAttention` share.
    """

    rows_independent = True

    masking = "takes"
    call_options: ClassVar[tuple[str, ...]] = (*NAMES, *MASKS, *OPTIONS)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_dropout(self)
        resolve_functions(self)
        layer: Any = self
        if layer.sliding_window is not None:
            window = integer_at_least(self.kind, "sliding_window", layer.sliding_window, 1)
            layer.sliding_window = window
        one_of(self.kind, "flash_attention", self.flash_attention, [None, False, True])

    @property
    def heads(self) -> Heads:
        """The number of heads and their sizes."""
        raise NotImplementedError(f"`{self.kind}` defines no `heads`.")

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the projections, in the order of Keras's weights."""
        heads, features = self.heads, input_features(self.kind, specs)
        output_shape = self.output_shape or (features["query"],)
        shapes = {
            "query": (features["query"], heads.query, heads.key_dim),
            "key": (features["key"], heads.key_value, heads.key_dim),
            "gate": (features["query"], heads.query, heads.value_dim),
            "value": (features["value"], heads.key_value, heads.value_dim),
            OUTPUT: (heads.query, heads.value_dim, *output_shape),
        }
        params: dict[str, dict[str, Array]] = {}
        for number, (name, shape) in enumerate(shapes.items()):
            if name == "gate" and not self.use_gate:
                continue
            kernel_key, bias_key = jax.random.split(jax.random.fold_in(key, number))
            summed, axes = _summed_axes(name), range(len(shape))
            initializer = with_fans(self.kernel_initializer, axes[:summed], axes[summed:])
            params[name] = {
                "kernel": initializers.draw(initializer, kernel_key, shape, self.variable_dtype)
            }
            if self.use_bias:
                bias = initializers.draw(
                    self.bias_initializer, bias_key, shape[summed:], self.variable_dtype
                )
                params[name]["bias"] = bias
        return params, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the outputs, and the attention weights if they are asked for."""
        call = parse_inputs(self.kind, inputs)
        layout = attention_layout(
            self.kind, self.attention_axes, call.query.shape, call.value.shape
        )
        projections = self._project_inputs(params, call)
        weights = self._attention_weights(projections, call, layout)
        applied_weights = drop_weights(self, weights, key, training)
        averages = weighted_values(applied_weights, layout.flatten(projections["value"]))
        averages = layout.unflatten(averages)
        if "gate" in projections:
            averages = averages * projections["gate"]
        outputs = self._project(params, OUTPUT, averages)
        state = self._with_penalties(params, state, {**projections, OUTPUT: outputs})
        masked = with_mask(outputs, call.query_mask)
        if not call.return_attention_scores:
            return masked, state
        return (masked, layout.unflatten_weights(weights)), state

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints applied to each projection."""
        return {name: Layer.constrain(self, projection) for name, projection in params.items()}

    def _project_inputs(self, params: Params, call: AttentionInputs) -> dict[str, Array]:
        """Return the projections of query, key and value, and the gate if there is one."""
        projections = {}
        for name in params:
            if name != OUTPUT:
                values = call.query if name == "gate" else getattr(call, name)
                projections[name] = self._project(params, name, values)
        if "gate" in projections:
            projections["gate"] = jax.nn.sigmoid(projections["gate"])
        return projections

    def _project(self, params: Params, name: str, values: Array) -> Array:
        projection, summed = params[name], _summed_axes(name)
        kernel = projection["kernel"]
        if values.shape[-summed:] != kernel.shape[:summed]:
            raise ValueError(
                f"`{self.kind}` was built for a {name} of {kernel.shape[0]} features, received one "
                f"of shape {tuple(values.shape)}."
            )
        outputs = linear(values, kernel, summed)
        return outputs + projection["bias"] if "bias" in projection else outputs

    def _attention_weights(
        self, projections: dict[str, Array], call: AttentionInputs, layout: AttentionLayout
    ) -> Array:
        """Return the weights, `(batch, heads, targets, sources)`."""
        query, key = (layout.flatten(projections[name]) for name in ("query", "key"))
        mask = combined_mask(self.kind, call, layout, self.heads.query, self.sliding_window)
        # Keras has two implementations, which differ in the weights of a query whose keys are all
        # masked. It uses the one with weights of 0 in these cases.
        zero_where_empty = (
            self.dropout > 0.0 or call.return_attention_scores or call.query.ndim != 3
        )
        scale = 1.0 / math.sqrt(self.heads.key_dim)
        return attention_weights(query, key, mask, scale, zero_where_empty=zero_where_empty)

    def _with_penalties(self, params: Params, state: State, outputs: dict[str, Array]) -> State:
        """Return the state with the penalties of all projections added up."""
        penalties = [with_penalty(self, params[name], {}, outputs[name]) for name in params]
        if PENALTY not in penalties[0]:
            return state
        return {**state, **jax.tree.map(lambda *terms: sum(terms), *penalties)}


def _summed_axes(projection: str) -> int:
    """Return the number of leading kernel axes that a projection sums over."""
    return 2 if projection == OUTPUT else 1
