"""A network with its arrays: the half of the facade that does not train."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.authoring import is_bound
from fjax.core import InputLayer, Layer, SymbolicTensor, as_layer, output_specs
from fjax.core.calling import call_inputs
from fjax.core.freezing import apply_trainable_flags, flags, set_trainable
from fjax.core.inputs import SIZES, any_size, explain_placeholder_sizes, sized
from fjax.core.layer import base_name, normalize_shape
from fjax.core.masking import unmasked
from fjax.core.reserved import only_weights
from fjax.core.shapes import LayerShapes, eval_shapes
from fjax.errors import explain_keywords, integer_at_least, seed_of, suggestion
from fjax.models.arrangement import names_of
from fjax.models.calls import NetworkCalls, calls_of
from fjax.models.construction import declared_inputs
from fjax.models.homes import Holder, Place, own_arrays, place_of
from fjax.models.parts import parts, weight_paths
from fjax.models.summary import Layout, summary
from fjax.models.symbolic import Symbols, in_order, symbols_of
from fjax.models.text_inputs import declared_specs
from fjax.models.views import LayerView
from fjax.models.weights import read_weights, write_weights
from fjax.training import TrainState
from fjax.training.initialization import initialize, initialize_optimizer
from fjax.training.state import run_key
from fjax.trees import first_difference
from fjax.typing import GradientTransformation, PyTree


class HeldNetwork:
    """A network and one train state, whose arrays are made when they are first asked for.

    Args:
        network: A layer, or what `serial` takes for one.
        input_shape: The shape of one sample, if it is known.
        name: The name of the whole.
        seed: Gives the weights and all that training draws.
        symbols: The symbolic tensors that the network was made of.

    Attributes:
        is_seeded: Whether a seed was given, or one was drawn.

    >>> from fjax.layers import Dense
    >>> held = HeldNetwork(Dense(3), input_shape=(8,))
    >>> held.output_shape, held.count_params(), [w.shape for w in held.get_weights()]
    ((None, 3), 27, [(8, 3), (3,)])
    """

    def __init__(
        self,
        network: Any,
        *,
        input_shape: Any = None,
        name: str | None = None,
        seed: int | None = None,
        symbols: Symbols | None = None,
    ) -> None:
        self.layer_tree = as_layer(network)
        self._settled: Any = None
        self._settled_flags: tuple[bool, ...] = ()
        self.name = name or getattr(self.layer_tree, "name", None) or base_name(self.layer_tree)
        self.is_seeded = seed is not None
        # Python's global generator moves on only where nothing else gives a seed.
        self._seed = random.getrandbits(32) if seed is None else seed_of(type(self).__name__, seed)
        self._optimizer: GradientTransformation | None = None
        self._optimizer_is_new = False
        self._specs: tuple[PyTree, ...] | None = None
        self._layer_shapes: LayerShapes | None = None
        self._holder: Holder | None = None
        self._views: dict[str, LayerView] = {}
        self._shapes: list[tuple[int | None, ...]] = []
        self._outputs: dict[Any, PyTree] = {}
        # Programs with code of a user's, which no other model may share.
        self._programs: dict[Any, Any] = {}
        self._adapted: list[Any] = []
        self._symbols = symbols
        declared = declared_inputs(self.layer_tree)
        if declared is not None:
            self._build_for(*declared_specs(self.name, self.layer_tree, declared))
        if input_shape is not None:
            self.build((None, *normalize_shape(type(self).__name__, "input_shape", input_shape)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {self.layer_tree!r}>"

    @property
    def network(self) -> Any:
        """The pure pair: `init, apply = model.network`.

        Its layers are frozen or not as they were at the last `compile`.
        """
        current = flags(self.layer_tree)
        if self._settled is None or (self._optimizer is None and current != self._settled_flags):
            self._settle()
        return self._settled

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it for every layer.

        It takes effect at the next `compile`, of this model and of those that contain it.
        """
        return all(flags(self.layer_tree))

    @trainable.setter
    def trainable(self, value: bool) -> None:
        set_trainable(self.layer_tree, value)

    @property
    def built(self) -> bool:
        """Whether the input shape is known."""
        return self._specs is not None

    @built.setter
    def built(self, value: bool) -> None:
        # An author's `build` ends by it, on the copy that is bound for one pass.
        if not is_bound(self):
            raise AttributeError(
                f"The model {self.name!r} is built by `build(input_shape)`, not by `built = …`."
            )

    @property
    def layer_shapes(self) -> LayerShapes:
        """The shapes of weights and outputs.

        Raises:
            ValueError: The input shape is not known yet.
        """
        if self._layer_shapes is None:
            self._known_specs()
        assert self._layer_shapes is not None
        return self._layer_shapes

    @explain_keywords
    def set_seed(self, seed: int) -> None:
        """Take another seed, as if the model had been made with it.

        Weights that are not made yet are drawn from it; those that are stay as they are, and what
        training draws from now on follows it.

        >>> from fjax.layers import Dense
        >>> one, other = (HeldNetwork(Dense(3), input_shape=(8,), seed=s) for s in (1, 2))
        >>> other.set_seed(1)
        >>> bool((one.get_weights()[0] == other.get_weights()[0]).all())
        True
        """
        self._seed = seed_of("set_seed", seed)
        self.is_seeded = True
        if self._holder is not None:
            self._holder.train_state = self._holder.train_state._replace(key=run_key(self._seed))

    def build(self, input_shape: Any) -> None:
        """Tell the model its input shape, batch axis included (None for a batch of any size).

        Several inputs are a list of shapes, named ones a dict.
        """
        if is_bound(self):
            # An author's `build` calls it on the copy that is bound for one pass.
            return
        several = isinstance(input_shape, list | tuple) and any(
            isinstance(shape, list | tuple) for shape in input_shape
        )
        whole = tuple(input_shape) if several else (input_shape,)
        whole = jax.tree.map(_without_batch, whole, is_leaf=_is_shape)
        shapes = jax.tree.leaves(whole, is_leaf=_is_shape)
        specs = jax.tree.map(
            lambda shape: sized(shape, "float32", 0),
            whole,
            is_leaf=_is_shape,
        )
        self._build_for(specs, shapes)

    @property
    def train_state(self) -> TrainState:
        """Everything that training has made so far, as one pytree; assigning it puts it back."""
        if self._holder is None:
            self._make()
        elif self._optimizer_is_new and self._optimizer is not None:
            held = self._holder.train_state
            opt_state = initialize_optimizer(self.network, self._optimizer, held.params)
            self._holder.train_state = held._replace(opt_state=opt_state)
            self._optimizer_is_new = False
        assert self._holder is not None
        return self._holder.train_state

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        if not isinstance(value, TrainState):
            raise TypeError(
                f"`train_state` must be a `fjax.training.TrainState`, received {value!r}."
            )
        shapes = self.layer_shapes
        for home in ("params", "state"):
            found = first_difference(getattr(shapes, home), getattr(value, home))
            if found:
                raise ValueError(
                    f"The `{home}` of this train state does not fit the model {self.name!r}; at "
                    f"{found}."
                )
        _check_numbers(value, shapes)
        self._hold(own_arrays(value, None if self._holder is None else self._holder.train_state))

    def _hold(self, value: TrainState) -> None:
        """Keep a train state that fits, of arrays that nobody else has."""
        if self._holder is None:
            self._holder = Holder(self._place(self.layer_shapes), value)
            self._adapted = _statistics(self.layer_tree)
        self._holder.train_state = value
        self._optimizer_is_new = value.opt_state == ()

    @property
    def layers(self) -> list[LayerView]:
        """The layers, with their weights in this model; of a graph the declared inputs, too."""
        views: dict[str, LayerView] = {}
        for name, layer, path in parts(self.layer_tree):
            if isinstance(layer, InputLayer) and path is not None:
                continue
            view = self._views.get(name)
            if view is None or view.layer is not layer:
                view = LayerView(self, name, layer, path)
            views[name] = view
        self._views = views
        return list(views.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> LayerView:
        """Return the layer of this name, or at this place.

        Raises:
            ValueError: There is none.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError("`get_layer` needs either `name` or `index`.")
        if index is not None:
            index = integer_at_least("get_layer", "index", index, -len(layers))
            if index >= len(layers):
                raise ValueError(
                    f"`get_layer`: the model has {len(layers)} layers, received index {index}."
                )
            return layers[index]
        if name not in self._views:
            known = ", ".join(self._views)
            raise ValueError(
                f"`get_layer`: the model {self.name!r} has no layer {name!r}."
                f"{suggestion(str(name), self._views)} Layers: {known}."
            )
        return self._views[name]

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that the model begins with."""
        return jax.tree.leaves(self.symbols.inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that the model ends with."""
        return jax.tree.leaves(self.symbols.outputs)

    @property
    def input(self) -> PyTree:
        """The symbolic tensor that the model begins with; of several their structure."""
        return self.symbols.inputs

    @property
    def output(self) -> PyTree:
        """The symbolic tensor that the model ends with; of several their structure."""
        return self.symbols.outputs

    @property
    def symbols(self) -> Symbols:
        """The model as symbolic tensors, of which new models can be made."""
        if self._symbols is None:
            self._symbols = symbols_of(self.name, self.layer_tree)
        return self._symbols

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of all weights, in Keras's order."""
        return self.get_weights()

    @property
    def output_shape(self) -> Any:
        """The shape of the outputs in their structure, None for axes of any size."""
        smaller, larger = (self._outputs_for(self._specs_at(which)) for which in range(len(SIZES)))
        return jax.tree.map(
            lambda one, other: (None, *any_size(one.shape, other.shape)[1:]), smaller, larger
        )

    @property
    def input_shape(self) -> Any:
        """The shape of the input, None for the batch axis; of several a list or dict."""
        specs = self._known_specs()
        structure = specs[0] if len(specs) == 1 else list(specs)
        shapes = iter(self._shapes)
        return jax.tree.map(lambda _: (None, *next(shapes)), structure)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: the network's own, the keys of a dict, or `input_0`, …."""
        return names_of(self.network, "input", self._known_specs())

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the network's own, the keys of a dict, or `output_0`, …."""
        return names_of(self.network, "output", self.layer_shapes.outputs)

    def count_params(self) -> int:
        """Return the number of values in all weights."""
        shapes = self.layer_shapes
        leaves = jax.tree.leaves((shapes.params, only_weights(shapes.state)))
        return sum(int(np.prod(leaf.shape)) for leaf in leaves)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all weights, in Keras's order."""
        return read_weights(self.train_state, self._weight_paths())

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights by arrays in the order of `get_weights`.

        Raises:
            ValueError: The number of arrays or a shape is another.
        """
        owner = f"model {self.name!r}"
        self.train_state = write_weights(self.train_state, self._weight_paths(), weights, owner)

    @explain_keywords
    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print a table of the layers, their output shapes and parameter counts.

        Args:
            line_length: Width of the table; by default what its cells need, at most the terminal's.
            positions: Where each column ends, as parts of the line, as in `[0.4, 0.75, 1.0]`.
            print_fn: Takes the whole text, by default `print`.
            expand_nested: Whether to show the layers within layers.
            show_trainable: Whether to say of each layer if it is trained: Y, N, or - for none
                that has weights.
            layer_range: The names of the first and last layer to show, or regular expressions.

        Layers that are frozen now count as not trainable, also before the next `compile`.

        Raises:
            ValueError: The input shape is not known yet, or no layer has a name in the range.
        """
        summary(
            self.name, self.layer_tree, self.layer_shapes, self.layer_calls(nested=expand_nested),
            self._trained_optimizer_state(),
            Layout(line_length, positions, print_fn, expand_nested, show_trainable, layer_range),
        )  # fmt: skip

    def layer_calls(self, nested: bool = False) -> NetworkCalls:
        """Return how the layers call one another, with all shapes: what drawings are made of.

        Args:
            nested: Whether to go into layers that are made of layers.

        Raises:
            ValueError: The input shape is not known yet.
        """
        shapes = self.layer_shapes
        inputs = [self._specs_at(which) for which in range(len(SIZES))]
        with explain_placeholder_sizes(lambda: self._shapes):
            return calls_of(self.layer_tree, shapes.params, shapes.state, inputs, nested)

    def _trained_optimizer_state(self) -> PyTree:
        """Return the optimizer's state if it has made a step, else an empty one."""
        if self._holder is None or self._optimizer is None or self._optimizer_is_new:
            return ()
        held = self._holder.train_state
        return held.opt_state if int(held.step) else ()

    def _weight_paths(self) -> list[tuple[str, ...]]:
        return weight_paths(self.layer_shapes.params, self.layer_shapes.state)

    def _make(self) -> None:
        """Draw the weights that the layers do not have from other models."""
        specs = self._known_specs()
        if hasattr(self.layer_tree, "require_ready"):
            self.layer_tree.require_ready()
        place = self._place(self.layer_shapes)
        # A declared input that two models share has no weights to bring.
        known = [home.made for _, home in place.homes() if home.params or home.state]
        made = initialize(self.network, self._optimizer, self._seed, *specs)
        self._holder = Holder(place, made)
        self._adapted = _statistics(self.layer_tree)
        # Weights that came with a layer are not those that the optimizer began with.
        self._optimizer_is_new = any(known) and self._optimizer is not None

    def _place(self, shapes: LayerShapes) -> Place:
        """Return the homes of the layers' weights, checked where they have some already."""
        place = place_of(self.layer_tree, shapes.params, shapes.state)
        for path, home, expected in place.with_trees(shapes.params):
            found = first_difference(expected, home.params) if home.made else None
            if found:
                raise ValueError(
                    f"The layer {'/'.join(path)!r} of {self.name!r} has its weights from another "
                    f"model, which do not fit here; at {found}. Write a layer of its own for it."
                )
        return place

    def _known_specs(self) -> tuple[PyTree, ...]:
        if self._specs is None:
            raise ValueError(
                f"The model {self.name!r} does not know its input shape yet: give "
                "`Input(shape=…)` or `input_shape=` to its first layer, call "
                "`build((None, …))`, or fit it first."
            )
        return self._specs

    def _specs_at(self, which: int) -> tuple[PyTree, ...]:
        """Return the inputs' specs at one of the `SIZES`."""
        shapes = iter(self._shapes)

        def spec_at(spec: Any) -> Any:
            # Any other size than that of any batch was declared.
            declared = None if spec.shape[0] == SIZES[0][0] else spec.shape[0]
            return sized(next(shapes), spec.dtype, which, declared)

        return jax.tree.map(spec_at, self._known_specs())

    def _called_in_graph(
        self, inputs: tuple[Any, ...], training: bool | None, options: dict[str, Any]
    ) -> PyTree:
        """Return the symbolic tensors that the network makes; the first ones may build it."""
        if self.built:
            inputs = in_order(self.layer_tree, inputs)
        elif not options:
            values = call_inputs(self.layer_tree, inputs, options)
            shapes = [leaf.shape[1:] for leaf in jax.tree.leaves(values)]
            self._build_for(jax.tree.map(lambda tensor: tensor.spec(0), values), shapes)
        return self.layer_tree(*inputs, training=training, **options)

    def _restructure(
        self, specs: tuple[PyTree, ...] | None, shapes: list[tuple[int | None, ...]] | None = None
    ) -> None:
        """Begin anew with the layers that there are now; those that stay keep their weights."""
        held = None if self._holder is None else self._holder.train_state
        self._specs, self._layer_shapes, self._holder = None, None, None
        self._settled, self._symbols, self._outputs = None, None, {}
        self._programs.clear()
        if specs is None:
            return
        self._build_for(specs, shapes)
        if held is not None:
            self.train_state = self.train_state._replace(
                key=held.key, step=held.step, epoch=held.epoch
            )
            self._optimizer_is_new = True

    def _settle(self) -> None:
        """Fix which layers are frozen, until the next time."""
        self._settled_flags = flags(self.layer_tree)
        self._settled = apply_trainable_flags(self.layer_tree)

    def _build_for(
        self, specs: tuple[PyTree, ...], shapes: list[tuple[int | None, ...]] | None = None
    ) -> None:
        shapes = shapes or [leaf.shape[1:] for leaf in jax.tree.leaves(specs)]
        with explain_placeholder_sizes(lambda: shapes):
            found = eval_shapes(self.layer_tree, *specs)
        # Tells layers that stand twice, or whose weights do not fit, before anything is trained.
        self._place(found)
        self._layer_shapes = found._replace(outputs=unmasked(found.outputs))
        self._specs = specs
        self._shapes = shapes
        self._outputs = {_key_of(specs): self._layer_shapes.outputs}

    def _outputs_for(self, inputs: tuple[PyTree, ...]) -> PyTree:
        """Return the shapes and dtypes of the outputs for a batch of inputs like these.

        It is a batch of one, unless the model's input declares another size.
        """
        size = jax.tree.leaves(self._known_specs())[0].shape[0]
        specs = specs_of(inputs, size)
        key = _key_of(specs)
        if key not in self._outputs:
            shapes = self.layer_shapes
            found = output_specs(self.layer_tree, shapes.params, shapes.state, *specs)
            self._outputs[key] = unmasked(found)
        return self._outputs[key]

    def _check_inputs(self, inputs: tuple[PyTree, ...]) -> None:
        """Raise ValueError if the inputs are not of the shapes that the model was built for."""
        known = self._known_specs()
        wanted, found = (str(jax.tree.structure(tree)) for tree in (known, inputs))
        if wanted != found:
            raise ValueError(
                f"The model {self.name!r} takes {len(known)} inputs of the structure {wanted}, `x` "
                f"has {len(inputs)} of the structure {found}."
            )
        for array, expected in zip(jax.tree.leaves(inputs), self._shapes, strict=True):
            given = tuple(array.shape[1:])
            fits = len(expected) == len(given) and all(
                size in (None, have) for size, have in zip(expected, given, strict=True)
            )
            if not fits:
                raise ValueError(
                    f"`x` has samples of shape {given} (in all {tuple(array.shape)}), the model "
                    f"{self.name!r} expects {expected}."
                )

    def _check_statistics(self) -> None:
        """Raise ValueError if a layer was adapted to other data after the weights were made."""
        if self._holder is not None and _statistics(self.layer_tree) != self._adapted:
            raise ValueError(
                f"A layer of the model {self.name!r} was adapted anew after the model was used, "
                "and the model holds weights for what it had learned before: adapt before the "
                "first use, or make a new model. Of a `Normalization` the statistics can be set by "
                "`model.get_layer(…).set_weights([mean, variance, count])`."
            )


def _check_numbers(value: TrainState, shapes: LayerShapes) -> None:
    """Raise ValueError where a weight is of another type, or a count or the key is none."""
    for home in ("params", "state"):
        pairs = zip(
            *(jax.tree_util.tree_leaves_with_path(getattr(t, home)) for t in (shapes, value)),
            strict=True,
        )
        for (path, expected), (_, found) in pairs:
            dtype = found.dtype if hasattr(found, "dtype") else np.result_type(found)
            if dtype != expected.dtype:
                raise ValueError(
                    f"The `{home}` of this train state do not fit: "
                    f"{jax.tree_util.keystr(path)} must be {expected.dtype}, received {dtype}."
                )
    for name in ("step", "epoch", "batch"):
        count = getattr(value, name)
        whole = np.ndim(count) == 0 and np.issubdtype(np.asarray(count).dtype, np.integer)
        if not whole or count < 0:
            raise ValueError(
                f"`{name}` of a train state must be a whole number from 0, received {count!r}."
            )
    if not jnp.issubdtype(getattr(value.key, "dtype", np.float32), jax.dtypes.prng_key):
        raise ValueError(
            f"`key` of a train state must be a key as of `jax.random.key`, received {value.key!r}."
        )


def _key_of(specs: tuple[PyTree, ...]) -> Any:
    leaves, structure = jax.tree.flatten(specs)
    return (structure, *((leaf.shape, leaf.dtype) for leaf in leaves))


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and not any(
        isinstance(size, list | tuple | dict) for size in value
    )


def _without_batch(shape: Any) -> tuple[int | None, ...]:
    shape = normalize_shape("build", "input_shape", shape)
    if not shape:
        raise ValueError("`build`: `input_shape` needs a batch axis, as in (None, 8).")
    return shape[1:]


def _statistics(network: Any) -> list[Any]:
    """Return what the layers of a network that can be adapted have taken from data."""
    own = [network.learned()] if hasattr(network, "adapt") else []
    inside = network.inside() if isinstance(network, Layer) else []
    return own + [entry for layer in inside for entry in _statistics(layer)]


def specs_of(inputs: tuple[PyTree, ...], size: int = 1) -> tuple[PyTree, ...]:
    """Return the specs of inputs like these, for a batch of this size."""
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct((size, *a.shape[1:]), a.dtype), inputs)
