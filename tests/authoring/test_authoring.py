"""Authored layers: `build`, `add_weight` and `call` as a pure pair, whatever the author does."""

import copy
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Layer, Model, branch, repeat, serial
from fjax.core import penalty
from fjax.layers import BatchNormalization, Concatenate, Dense, Dropout

KEY = jax.random.key(0)
X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), "float32")


class Linear(Layer):
    """Written as Keras authors write."""

    def __init__(self, units, activation=None, kernel_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = fjax.activations.get(activation)
        self.kernel_constraint = fjax.constraints.get(kernel_constraint)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), constraint=self.kernel_constraint
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")
        super().build(input_shape)
        self.built = True

    def call(self, inputs):
        return self.activation(inputs @ self.kernel + self.bias)

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units, "activation": self.activation.__name__})
        return config


class Block(Layer):
    """Sublayers in an attribute, a list, a dict and a tuple; state; draws; a loss."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.first = Linear(width, "tanh")
        self.hidden = [Linear(width) for _ in range(2)]
        self.heads = {"left": Dense(width), "right": (Dropout(0.5), BatchNormalization())}
        self.notes = {"seen": []}

    def build(self, input_shape):
        self.passes = self.add_weight(dtype="int32", trainable=False)
        self.mean = self.add_weight((input_shape[-1],), "zeros", trainable=False)
        self.last = Dense(input_shape[-1])

    def call(self, inputs, training=False):
        self.notes["seen"].append(1)
        self.passes = self.passes + 1
        if training:
            self.mean = 0.9 * self.mean + 0.1 * inputs.mean(axis=0)
        hidden = self.first(inputs)
        for layer in self.hidden:
            hidden = layer(hidden)
        dropout, norm = self.heads["right"]
        self.add_loss(0.1 * jnp.mean(hidden**2))
        return inputs + self.last(self.heads["left"](hidden) + norm(dropout(hidden)))


def contents(value):
    """All that an object holds, down to what is compared by identity."""
    if isinstance(value, dict):
        return {key: contents(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [contents(item) for item in value]
    return (id(value), contents(vars(value))) if isinstance(value, Layer) else id(value)


def close(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), one, other)


def built(layer, *inputs):
    return layer.init(KEY, *(inputs or (X,)))


def test_weights_are_named_after_their_attributes():
    params, state = built(Block(5))
    assert set(params) == {
        "first", "hidden_0", "hidden_1", "heads_left", "heads_right_0", "heads_right_1", "last"
    }  # fmt: skip
    assert list(params["first"]) == ["kernel", "bias"]
    assert state["passes"].dtype == "int32"
    assert {"passes", "mean", "penalty"} <= set(state)


def test_names_in_containers_given_names_and_no_attribute():
    class Named(Layer):
        def build(self, input_shape):
            self.pairs = [self.add_weight((2,)), {"a": self.add_weight((3,))}]
            self.other = self.add_weight((4,), name="given")
            loose = self.add_weight((5,))
            another = self.add_weight((6,))
            self.sizes = loose.size + another.size

        def call(self, inputs):
            return inputs * self.pairs[0].sum()

    params, _ = built(Named())
    assert {name: weight.shape for name, weight in params.items()} == {
        "pairs_0": (2,),
        "pairs_1_a": (3,),
        "given": (4,),
        "variable": (5,),
        "variable_1": (6,),
    }


def test_the_object_is_the_same_before_and_after():
    layer = Block(5)
    before = contents(vars(layer))
    params, state = layer.init(KEY, X)
    layer.apply(params, state, X, key=KEY, training=True)
    layer.apply(params, state, X)
    assert contents(vars(layer)) == before
    assert layer.notes == {"seen": []}


def test_state_advances_and_stays_pure():
    layer = Block(5)
    params, state = built(layer)
    _, once = layer.apply(params, state, X, key=KEY, training=True)
    _, twice = layer.apply(params, once, X, key=KEY, training=True)
    assert [int(s["passes"]) for s in (state, once, twice)] == [0, 1, 2]
    close(once["mean"], 0.1 * X.mean(axis=0))
    close(twice["mean"], 0.19 * X.mean(axis=0))
    assert float(once["heads_right_1"]["moving_variance"][0]) != 1.0
    assert float(penalty(once)) > 0 == float(penalty(state))


def test_every_transformation():
    layer = Block(5)
    params, state = built(layer)

    def run(params, state, x, key):
        outputs, state = layer.apply(params, state, x, key=key, training=True)
        return outputs, state

    eager = run(params, state, X, KEY)
    close(jax.jit(run)(params, state, X, KEY), eager)
    close(jax.jit(layer.init)(KEY, X), (params, state))
    shapes = jax.eval_shape(run, params, state, X, KEY)
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, eager)

    def objective(params):
        outputs, after = run(params, state, X, KEY)
        return jnp.sum(outputs**2) + penalty(after)

    direction = jax.tree.map(jnp.ones_like, params)

    @jax.jit
    def derivatives(params, direction):
        remembered = jax.grad(jax.checkpoint(objective))(params)
        return (
            jax.grad(objective)(params),
            remembered,
            jax.jvp(objective, (params,), (direction,))[1],
        )

    gradients, remembered, slope = derivatives(params, direction)
    close(remembered, gradients)
    close(slope, sum(jnp.sum(g) for g in jax.tree.leaves(gradients)))

    batches = jnp.stack([X, 2 * X])
    keys = jax.random.split(KEY, 2)
    outputs, _ = jax.vmap(run, in_axes=(None, None, 0, 0))(params, state, batches, keys)
    close(outputs[1], run(params, state, 2 * X, keys[1])[0])
    many, _ = jax.vmap(lambda key: layer.init(key, X))(keys)
    close(jax.tree.map(lambda a: a[1], many), layer.init(keys[1], X)[0])

    def step(state, x):
        outputs, state = layer.apply(params, state, x)
        return state, outputs

    last, stacked = jax.lax.scan(step, state, batches)
    assert int(last["passes"]) == 2
    close(stacked[1], layer.apply(params, state, 2 * X)[0])


def test_two_threads_apply_one_object():
    layer = Block(5)
    weights = [layer.init(jax.random.key(seed), X) for seed in range(2)]
    expected = [layer.apply(*pair, X)[0] for pair in weights]
    found = [[], []]

    def work(which):
        for _ in range(10):
            found[which].append(layer.apply(*weights[which], X)[0])

    threads = [threading.Thread(target=work, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for which in range(2):
        assert len(found[which]) == 10
        for outputs in found[which]:
            np.testing.assert_array_equal(outputs, expected[which])


def test_the_same_key_gives_the_same_weights_and_each_weight_its_own():
    one, other = built(Block(5)), built(Block(5))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    params = one[0]
    assert not np.allclose(params["hidden_0"]["kernel"], params["hidden_1"]["kernel"])
    assert not np.allclose(Block(5).init(jax.random.key(1), X)[0]["last"]["kernel"], 0)


@pytest.mark.parametrize(("wrap", "most"), [(lambda layer: layer, 2), (serial, 128)])
def test_init_does_not_explode_with_depth(wrap, most):
    counts = {"build": 0, "call": 0}

    class Leaf(Layer):
        def build(self, input_shape):
            counts["build"] += 1
            self.scale = self.add_weight((input_shape[-1],), name="scale")

        def call(self, inputs, training=False):
            counts["call"] += 1
            return inputs * self.scale

    class Nest(Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, inputs):
            return self.inner(inputs)

    costs = []
    for depth in range(1, 6):
        counts.update(build=0, call=0)
        layer = Leaf()
        for _ in range(depth):
            layer = Nest(wrap(layer))
        layer.init(KEY, X)
        assert counts["build"] == counts["call"]
        costs.append(counts["build"])
    assert costs[0] <= 6 and costs[-1] <= most
    params, state = layer.init(KEY, X)
    assert layer.apply(params, state, X)[0].shape == X.shape


def test_a_sublayer_called_twice_or_held_twice_has_one_set_of_weights():
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3, kernel_regularizer="l2", activity_regularizer="l2")
            self.again = [self.dense]

        def call(self, inputs):
            return self.again[0](self.dense(inputs))

    layer = Twice()
    params, state = built(layer)
    assert list(params) == ["dense"]
    outputs, after = layer.apply(params, state, X)
    dense = layer.dense
    middle, one = dense.apply(params["dense"], state["dense"], X)
    end, two = dense.apply(params["dense"], one, middle)
    close(outputs, end)
    charges = one["penalty"]["weights"] + one["penalty"]["calls"] + two["penalty"]["calls"]
    close(penalty(after), charges)


def test_a_sublayer_called_twice_draws_twice():
    class Draws(Layer):
        def __init__(self):
            super().__init__()
            self.dropout = Dropout(0.5)

        def call(self, inputs):
            return self.dropout(inputs) - self.dropout(inputs)

    assert np.any(Draws().apply({"dropout": {}}, {"dropout": {}}, X, key=KEY, training=True)[0])


def test_a_sublayer_called_only_in_training_at_any_depth():
    class Inner(Layer):
        def __init__(self):
            super().__init__()
            self.extra = Dense(3)

        def call(self, inputs, training=None):
            return self.extra(inputs) if training else inputs

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, inputs):
            return self.inner(inputs)

    layer = Outer()
    params, state = built(layer)
    close(layer.apply(params, state, X)[0], X)
    outputs, _ = layer.apply(params, state, X, training=True)
    close(outputs, X @ params["inner"]["extra"]["kernel"])


def test_combinators_and_models_as_sublayers():
    def inner():
        graph = fjax.Input((3,))
        return {
            "serial": serial(Linear(3), jnp.tanh),
            "repeat": repeat(Linear(3, "tanh"), 3),
            "branch": serial(branch(Linear(2), Dense(1)), Concatenate()),
            "sequential": fjax.Sequential([Dense(3), Linear(3)]),
            "graph": Model(graph, Linear(3)(graph) + graph),
        }

    class Holds(Layer):
        def __init__(self, parts):
            super().__init__()
            self.parts = parts

        def call(self, inputs):
            for part in self.parts.values():
                inputs = part(inputs)
            return inputs

    parts = inner()
    layer = Holds(parts)
    params, state = built(layer)
    outputs, _ = jax.jit(layer.apply)(params, state, X)
    expected = X
    for name, part in parts.items():
        pair = getattr(part, "layer_tree", part)
        found = next(key for key in params if key.startswith((f"parts_{name}", name, "functional")))
        expected, _ = pair.apply(params[found], state[found], expected)
    close(outputs, expected)


def test_inside_combinators_graphs_and_sequential():
    network = serial(Linear(3), repeat(Linear(3, "tanh"), 4), branch(Linear(1), Block(2)))
    params, state = built(network)
    assert params["repeat"]["kernel"].shape == (4, 3, 3)
    outputs, after = network.apply(params, state, X, key=KEY, training=True)
    assert [o.shape for o in outputs] == [(4, 1), (4, 3)]
    assert int(after["branch"]["block"]["passes"]) == 1
    inputs = fjax.Input((3,))
    shared = Linear(3, name="shared")
    model = Model(inputs, shared(shared(inputs)) + Block(4)(inputs))
    assert [view.name for view in model.layers] == [
        "input_layer", "shared", "block", "add"
    ]  # fmt: skip
    assert model.predict(np.asarray(X), verbose=0).shape == (4, 3)
    repeated = repeat(Block(3), 2)
    params, state = built(repeated)
    _, after = jax.jit(lambda p, s: repeated.apply(p, s, X, key=KEY, training=True))(params, state)
    np.testing.assert_array_equal(after["passes"], [1, 1])


def test_inputs_one_by_one_in_lists_and_dicts_and_what_build_is_given():
    shapes = []

    class Several(Layer):
        def build(self, first_shape, second_shape):
            shapes.append((first_shape, second_shape))
            self.weight = self.add_weight((first_shape[-1], second_shape[-1]))

        def call(self, first, second, mask=None):
            return first @ self.weight + second

    class Structured(Layer):
        def build(self, input_shape):
            shapes.append(input_shape)
            self.weight = self.add_weight((input_shape["a"][-1],))

        def call(self, inputs):
            return inputs["a"] * self.weight + sum(inputs["b"])

    class Listed(Layer):
        def build(self, input_shape):
            shapes.append(input_shape)

        def call(self, inputs):
            first, second = inputs
            return first + second.sum(axis=-1, keepdims=True)

    y = jnp.ones((4, 2))
    layer = Several()
    params, state = built(layer, X, y)
    close(layer.apply(params, state, X, y)[0], X @ params["weight"] + y)
    assert set(shapes) == {((None, 3), (None, 2))}
    shapes.clear()
    layer = Structured()
    values = {"a": X, "b": [X, X]}
    params, state = built(layer, values)
    close(layer.apply(params, state, values)[0], X * params["weight"] + 2 * X)
    assert shapes[0] == {"a": (None, 3), "b": [(None, 3), (None, 3)]}
    shapes.clear()
    for values in ((X, y), ([X, y],)):
        close(Listed().apply({}, {}, *values)[0], X + 2)
    assert shapes[0] == [(None, 3), (None, 2)]


def test_options_where_the_layer_is_called():
    class Scaled(Layer):
        def call(self, inputs, scale=1.0, mode="times", *, mask=None, training=None, key=None):
            assert training in (False, True)
            if mode == "plus":
                return inputs + scale
            return inputs * scale if mask is None else inputs * scale * mask

    class Calls(Layer):
        def __init__(self):
            super().__init__()
            self.scaled = Scaled()

        def call(self, inputs):
            plain = self.scaled(inputs, mask=None)
            return [
                plain,
                self.scaled(inputs, scale=2.0),
                self.scaled(inputs, scale=3.0, mode="plus"),
                self.scaled(inputs, mask=inputs > 0, training=True),
            ]

    layer = Calls()
    params, state = built(layer)
    expected = [X, 2 * X, X + 3, X * (X > 0)]
    close(jax.jit(layer.apply)(params, state, X)[0], expected)
    inputs, scale = fjax.Input((3,)), fjax.Input((3,))
    scaled = Scaled()
    model = Model([inputs, scale], [scaled(inputs, mode="plus"), scaled(inputs, scale=scale)])
    plus, times = model.predict([np.asarray(X), np.full((4, 3), 5.0, "float32")], verbose=0)
    close([plus, times], [X + 1, X * 5])


def test_draws_by_the_key_and_extends_a_pure_layer():
    class Noise(Layer):
        def call(self, inputs, key=None, training=False):
            return inputs + jax.random.normal(key, inputs.shape) if training else inputs

    close(Noise().apply({}, {}, X, key=KEY)[0], X)
    close(Noise().apply({}, {}, X, key=KEY, training=True)[0], X + jax.random.normal(KEY, X.shape))

    class MCDropout(Dropout):
        def call(self, inputs, training=False):
            return super().call(inputs, training=True)

    class Three(Dropout):
        def call(self, inputs):
            return jnp.stack([Dropout.call(self, inputs, training=True) for _ in range(3)])

    assert MCDropout(0.5) == MCDropout(0.5) != Dropout(0.5)
    close(
        MCDropout(0.5).apply({}, {}, X, key=KEY)[0],
        Dropout(0.5).apply({}, {}, X, key=KEY, training=True)[0],
    )
    draws = Three(0.5).apply({}, {}, jnp.ones((50, 3)), key=KEY)[0]
    assert not np.allclose(draws[0], draws[1])


def test_an_extended_layer_keeps_its_weights_state_and_penalties():
    class Doubled(Dense):
        def build(self, input_shape):
            self.gain = self.add_weight((), "ones", regularizer="l2")

        def call(self, inputs):
            return super().call(inputs) * self.gain

    class Norm(BatchNormalization):
        def call(self, inputs, training=False):
            return super().call(inputs, training=training) + 1

    arguments = {
        "kernel_regularizer": "l2",
        "activity_regularizer": "l1",
        "bias_constraint": "non_neg",
    }
    layer, dense = Doubled(2, **arguments), Dense(2, **arguments)
    params, state = built(layer)
    assert list(params) == ["kernel", "bias", "gain"]
    outputs, after = layer.apply(params, state, X)
    expected, own = dense.apply(params, {}, X)
    close(outputs, expected)
    close(penalty(after), penalty(own) + 0.01)
    close(layer.constrain({**params, "bias": jnp.array([-1.0, 1.0])})["bias"], jnp.array([0.0, 1]))
    norm = Norm()
    params, state = built(norm)
    outputs, after = norm.apply(params, state, X, training=True)
    pure, known = BatchNormalization().apply(params, state, X, training=True)
    close((outputs, after), (pure + 1, known))


def test_sublayers_show_their_weights_and_fields():
    class Tied(Layer):
        def __init__(self):
            super().__init__()
            self.dense, self.own, self.norm = Dense(2), Linear(2), BatchNormalization()

        def call(self, inputs):
            coded = self.dense(inputs) @ self.dense.kernel.T + self.own(inputs) @ self.own.kernel.T
            assert self.dense.units == self.own.units == 2
            return self.norm(coded) + self.norm.moving_mean

    layer = Tied()
    params, state = built(layer)
    gradients = jax.grad(lambda p: layer.apply(p, state, X)[0].sum())(params)
    assert np.any(gradients["dense"]["kernel"]) and np.any(gradients["own"]["kernel"])


def test_regularizers_losses_and_freezing():
    class Charged(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = Dense(3, use_bias=False, kernel_regularizer="l2")

        def build(self, input_shape):
            self.scale = self.add_weight((input_shape[-1],), "ones", regularizer="l2")
            self.kept = self.add_weight((2,), "ones", trainable=False, regularizer="l2")

        def call(self, inputs, training=False):
            if training:
                self.add_loss(jnp.float32(5))
            return self.dense(inputs * self.scale)

    layer = Charged()
    params, state = built(layer)
    assert float(penalty(state)) == 0
    kernel = 0.01 * float(jnp.sum(params["dense"]["kernel"] ** 2))
    for training, expected in ((False, 0.03 + kernel), (True, 5.03 + kernel)):
        _, after = layer.apply(params, state, X, training=training)
        assert float(penalty(after)) == pytest.approx(expected, rel=1e-6)
    frozen = Charged(trainable=False)
    _, after = frozen.apply(params, state, X, training=True)
    assert float(penalty(after)) == pytest.approx(5.0 + kernel)
    layer.dense.trainable = False
    _, after = layer.apply(params, state, X)
    assert float(penalty(after)) == pytest.approx(0.03)


def test_constraints_are_attributes():
    layer = serial(Linear(2, kernel_constraint="non_neg"))
    params, _ = built(layer)
    constrained = layer.constrain(params)["linear"]
    close(constrained["kernel"], jnp.maximum(params["linear"]["kernel"], 0))
    close(constrained["bias"], params["linear"]["bias"])
    frozen = Linear(2, kernel_constraint="non_neg", trainable=False)
    assert frozen.constrain(params["linear"]) is params["linear"]


def test_types_and_initializers_of_weights():
    class Typed(Layer):
        def build(self, input_shape):
            self.half = self.add_weight(3, "ones", "float16")
            self.whole = self.add_weight((), dtype="int32", trainable=False)
            self.made = self.add_weight([2, 2], lambda shape, dtype: jnp.full(shape, 7, dtype))
            self.drawn = self.add_weight((2,), fjax.initializers.RandomNormal(seed=3))
            self.flag = self.add_weight((), "zeros", "bool", trainable=False)

        def call(self, inputs):
            self.flag = ~self.flag
            return inputs * self.half.astype("float32")

    params, state = built(Typed())
    assert [str(params[name].dtype) for name in ("half", "made")] == ["float16", "float32"]
    assert params["half"].shape == (3,)
    assert float(params["made"].sum()) == 28
    close(params["drawn"], fjax.initializers.RandomNormal(seed=3)((2,), "float32"))
    _, after = Typed().apply(params, state, X)
    assert bool(after["flag"]) and int(after["whole"]) == 0


def test_configuration_as_keras_authors_write_it():
    layer = Linear(2, "relu", name="own", trainable=False, input_shape=(3,))
    config = layer.get_config()
    assert config == {"name": "own", "trainable": False, "units": 2, "activation": "relu"}
    again = Linear.from_config(config)
    assert again.get_config() == config
    assert fjax.Sequential([layer]).output_shape == (None, 2)
    with pytest.raises(TypeError, match=r"takes no argument `nam`. Did you mean `name`"):
        Linear(2, nam="x")


def test_fields_in_the_place_of_a_constructor():
    class Fields(Layer):
        units: int
        activation: object = "tanh"

        def __post_init__(self):
            super().__post_init__()
            self.activation = fjax.activations.get(self.activation)

        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], self.units))
            self.last = Dense(1)

        def call(self, inputs):
            return self.last(self.activation(inputs @ self.kernel))

    layer = Fields(2)
    assert layer == Fields(2, "tanh") != Fields(3)
    assert hash(layer) == hash(Fields(2))
    assert repr(layer) == "Fields(units=2)"
    assert Fields.from_config(layer.get_config()) == layer
    assert copy.deepcopy(layer) == layer
    params, state = built(layer)
    close(
        layer.apply(params, state, X)[0], jnp.tanh(X @ params["kernel"]) @ params["last"]["kernel"]
    )
    with pytest.raises(AttributeError, match="cannot be changed"):
        layer.units = 3


def mistake(build=None, call=None, start=None):
    """A layer of these methods."""

    class Wrong(Layer):
        def __init__(self):
            super().__init__()
            if start is not None:
                start(self)

        def build(self, input_shape):
            if build is not None:
                build(self)

        def call(self, inputs):
            return inputs if call is None else call(self, inputs)

    return Wrong()


def assigned(name, value):
    def call(self, inputs):
        setattr(self, name, value(self))
        return inputs

    return call


def weight(self, **options):
    self.w = self.add_weight((3,), "ones", **options)


def two_of_one_name(self):
    self.v = self.add_weight((3,), name="w")
    self.w = self.add_weight((3,))


def inner_of_that_name(self):
    self.w = Dense(3, name="taken")
    self.v = self.add_weight((3,), name="taken")


def of_shape(*shape):
    return lambda self: setattr(self, "w", self.add_weight(shape))


def counter(self):
    self.w = self.add_weight((), dtype="int32", trainable=False)


MISTAKES = {
    "in __init__": (lambda: mistake(start=weight), RuntimeError, "belongs into `build"),
    "in call": (lambda: mistake(call=lambda self, x: x * self.add_weight((3,))), RuntimeError,
                "outside of `build` .in `call`"),
    "one name": (lambda: mistake(two_of_one_name), ValueError, "two weights are named 'w'"),
    "a layer's name": (lambda: mistake(inner_of_that_name), ValueError,
                       "a weight and a sublayer are both named 'taken'"),
    "penalty": (lambda: mistake(lambda self: weight(self, name="penalty")), ValueError,
                "name 'penalty' is kept"),
    "slash": (lambda: mistake(lambda self: weight(self, name="a/b")), ValueError, "without '/'"),
    "shape of None": (lambda: mistake(of_shape(None, 3)), ValueError, "`shape.0.` must be an int"),
    "negative": (lambda: mistake(of_shape(3, -1)), ValueError, "`shape.1.` .* received -1"),
    "initializer": (lambda: mistake(lambda self: self.add_weight((3,), "zeroes")), ValueError,
                    "Did you mean `zeros`"),
    "constraint": (lambda: mistake(lambda self: weight(self, constraint="non_neg")), ValueError,
                   "`self.w_constraint = fjax.constraints.get.* in `__init__`.*override"),
    "trainable": (lambda: mistake(weight, assigned("w", lambda self: self.w + 1)), ValueError,
                  "`call` set the trainable weight 'w'"),
    "state's shape": (
        lambda: mistake(lambda self: weight(self, trainable=False),
                        assigned("w", lambda self: self.w[:2])),
        ValueError, r"'w' to \(2,\) float32, which must stay \(3,\) float32"),
    "state's dtype": (lambda: mistake(counter, assigned("w", lambda self: self.w + 0.5)),
                      ValueError, "must stay .. int32"),
    "state is gone": (lambda: mistake(counter, assigned("w", lambda self: None)), TypeError,
                      "'w' to None of type `NoneType`: it must stay an array"),
    "layer in call": (lambda: mistake(call=lambda self, x: Dense(3)(x)), TypeError,
                      "make it in `__init__` or `build`, not in `call`"),
    "itself": (lambda: mistake(start=lambda self: setattr(self, "x", self)), ValueError,
               "cannot contain itself: Wrong > Wrong"),
    "itself in a list": (lambda: mistake(start=lambda self: setattr(self, "x", [{"a": self}])),
                         ValueError, "cannot contain itself"),
    "loss": (lambda: mistake(call=lambda self, x: self.add_loss(x) or x), ValueError,
             "takes one number, received the shape .4, 3."),
    "regularizer": (
        lambda: mistake(lambda self: weight(self, regularizer=lambda w: w)), ValueError,
        "must return one number"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_clear_error(name):
    make, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        make().init(KEY, X)


def test_containing_itself_by_way_of_another():
    first, second = mistake(), mistake()
    first.inner, second.inner = serial(second), [first]
    with pytest.raises(ValueError, match="cannot contain itself"):
        built(mistake(start=lambda self: setattr(self, "inner", second)))


def test_assign_is_told_to_be_an_assignment():
    layer = mistake(counter, lambda self, x: self.w.assign_add(1))
    with pytest.raises(AttributeError) as error:
        built(layer)
    assert "self.total = self.total + x" in "".join(error.value.__notes__)


def test_wrong_inputs_and_options():
    class Two(Layer):
        def call(self, first, second):
            return first + second

    class Outer(Layer):
        def __init__(self, **options):
            super().__init__()
            self.two, self.options = Two(), options

        def call(self, inputs):
            return self.two(inputs, inputs, **self.options)

    with pytest.raises(TypeError, match=r"takes the inputs first, second, received 1: second is"):
        built(Two())
    with pytest.raises(TypeError, match=r"takes 2 inputs \(first, second\), received 3"):
        built(Two(), X, X, X)
    with pytest.raises(TypeError, match=r"`Two.call` takes no argument `scale`"):
        built(Outer(scale=2.0))

    class Asks(Two):
        def build(self, first_shape, secnd_shape):
            pass

    with pytest.raises(TypeError, match=r"asks for `secnd_shape`.* Did you mean `second_shape`"):
        built(Asks(), X, X)


def test_neither_call_nor_apply():
    class Nothing(Layer):
        def build(self, input_shape):
            pass

    with pytest.raises(NotImplementedError, match="defines neither `call"):
        Nothing().apply({}, {}, X)


def test_build_makes_other_weights_each_time():
    made = []

    def grows(self):
        made.append(1)
        for number in range(len(made)):
            setattr(self, f"w{number}", self.add_weight((3,), name=f"w{number}"))

    def shrinks(self):
        made.append(1)
        for number in range(4 - len(made)):
            setattr(self, f"w{number}", self.add_weight((3,), name=f"w{number}"))

    for build, message in ((grows, "'w1' is not in the layer's params"), (shrinks, "did not make")):
        made.clear()
        layer = mistake(build)
        params, state = built(layer)
        with pytest.raises(ValueError, match=f"{message}.*the same weights each"):
            layer.apply(params, state, X)


def test_a_loss_in_some_passes_only():
    charges = []

    def call(self, x):
        for charge in charges:
            self.add_loss(charge)
        return x

    layer = mistake(call=call)
    params, state = built(layer)
    charges.append(1.0)
    with pytest.raises(ValueError, match="`add_loss` was called in a branch that was not taken"):
        layer.apply(params, state, X)


@pytest.mark.parametrize("value", [np.ones(3), jnp.ones(3), {1, 2}, [np.ones(2)]], ids=type)
def test_fields_that_are_no_plain_values(value):
    class Fields(Layer):
        scale: object = None

        def call(self, inputs):
            return inputs

    with pytest.raises(TypeError, match=r"field `scale` holds a .* make it a weight .* or a tuple"):
        built(Fields(value))


def test_a_weight_in_two_attributes_that_part():
    def build(self):
        self.a = self.b = self.add_weight((), "zeros", trainable=False, name="a")

    def parted(self, inputs):
        self.a, self.b = self.a + 1, self.b + 2
        return inputs

    with pytest.raises(ValueError, match="stands in several attributes"):
        built(mistake(build, parted))
    layer = mistake(build, assigned("b", lambda self: self.b + 2))
    params, state = built(layer)
    assert float(layer.apply(params, state, X)[1]["a"]) == 2


def test_a_frozen_layer_made_in_build():
    def build(self):
        self.inner = Dense(3, trainable=False)

    layer = mistake(build, lambda self, x: self.inner(x))
    with pytest.raises(ValueError, match=r"'inner' is frozen and made in `build`.* in `__init__`"):
        built(layer)
    # A model keeps the layers that its own `build` makes.
    model = type("Made", (fjax.Model,), {"build": build, "call": lambda self, x: self.inner(x)})()
    model.compile("sgd", "mse")
    before = model(np.asarray(X))
    model.fit(np.asarray(X), np.ones((4, 3)), verbose=0)
    np.testing.assert_array_equal(model(np.asarray(X)), before)
    assert [view.name for view in model.layers] == ["inner"]


@pytest.mark.parametrize("value", [None, "hi", 3.0])
def test_call_returns_arrays(value):
    layer = mistake(lambda self: None, lambda self, x: value)
    with pytest.raises(TypeError, match=r"call` must return an array, .* it returned"):
        built(layer)
    with pytest.raises(TypeError, match="`add_loss` takes one number, received 'a'"):
        built(mistake(lambda self: None, lambda self, x: self.add_loss("a") or x))
