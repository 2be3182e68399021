"""Authored models: subclasses with `call`."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Model
from fjax.layers import BatchNormalization, Dense, Dropout

X = np.random.default_rng(0).normal(size=(40, 8)).astype("float32")
Y = X[:, :1] - X[:, 1:2]


class Encoder(Model):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.first = Dense(width, "tanh")
        self.norm = BatchNormalization(momentum=0.9)

    def call(self, inputs, training=False):
        return self.norm(self.first(inputs), training=training)


class Reconstructing(Model):
    def __init__(self, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [Dense(6, activation="selu") for _ in range(depth)]
        self.out = Dense(1)

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", regularizer="l2")
        self.reconstruct = Dense(input_shape[-1])
        super().build(input_shape)
        self.built = True

    def call(self, inputs, training=None):
        values = inputs * self.scale
        for layer in self.hidden:
            values = layer(values)
        self.add_loss(0.05 * jnp.mean((self.reconstruct(values) - inputs) ** 2))
        return self.out(values)


def fitted(model, epochs=1):
    model.compile(fjax.optimizers.SGD(0.05), "mse")
    model.fit(X, Y, epochs=epochs, verbose=0)
    return model


def test_fit_evaluate_predict_call_and_network():
    model = Reconstructing(seed=0)
    model.compile(fjax.optimizers.Adam(0.02), "mse")
    losses = model.fit(X, Y, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    outputs = model.predict(X, verbose=0)
    np.testing.assert_allclose(model(X), outputs, rtol=1e-5, atol=1e-6)
    init, apply = model.network
    held = model.train_state
    pure, state = jax.jit(apply)(held.params, held.state, X)
    np.testing.assert_allclose(pure, outputs, rtol=1e-5, atol=1e-6)
    expected = np.mean((outputs - Y) ** 2) + fjax.core.penalty(state)
    assert model.evaluate(X, Y, batch_size=40, verbose=0) == pytest.approx(
        float(expected), rel=1e-5
    )
    params, _ = init(jax.random.key(0), X)
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, held.params)


def test_the_same_seed_gives_the_same_run():
    runs = [fitted(Reconstructing(seed=3), 2).get_weights() for _ in range(2)]
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_order_of_weights_and_layers_and_the_summary():
    model = Reconstructing(seed=0)
    assert not model.built
    model.build((None, 8))
    assert model.built
    names = ["hidden_0", "hidden_1", "out", "reconstruct"]
    assert [view.name for view in model.layers] == names
    shapes = [(8,), (8, 6), (6,), (6, 6), (6,), (6, 1), (1,), (6, 8), (8,)]
    assert [weight.shape for weight in model.get_weights()] == shapes
    assert model.get_layer("reconstruct").get_weights()[0].shape == (6, 8)
    assert isinstance(model.get_layer(index=2), Dense)
    lines = []
    model.summary(print_fn=lines.append)
    table = lines[0]
    for name, count, shape in zip(
        names, (54, 42, 7, 56), ("(None, 6)", "(None, 6)", "(None, 1)", "(None, 8)"), strict=True
    ):
        (row,) = [line for line in table.splitlines() if f" {name} (Dense)" in line]
        assert f" {count} " in row and shape in row
    assert "Total params: 167 (668.00 B)" in table
    weights = [np.full(shape, number, "float32") for number, shape in enumerate(shapes)]
    model.set_weights(weights)
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert float(model.train_state.params["scale"][0]) == 0
    assert float(model.train_state.params["hidden_0"]["kernel"][0, 0]) == 1


@pytest.mark.parametrize("name", ["hidden_0", "reconstruct"])
def test_freezing_one_layer(name):
    model = Reconstructing(seed=0)
    model.build((None, 8))
    model.get_layer(name).trainable = False
    before = {view.name: view.get_weights() for view in model.layers}
    fitted(model)
    for view in model.layers:
        same = all(map(np.array_equal, view.get_weights(), before[view.name]))
        assert same == (view.name == name)
    # The model's own weights are still trained and regularized.
    assert not np.allclose(model.train_state.params["scale"], 1)
    assert float(model.train_state.state["penalty"]["weights"]) > 0
    lines = []
    model.summary(print_fn=lines.append)
    assert f"Non-trainable params: {54 if name == 'hidden_0' else 56} " in lines[0]


def test_freezing_the_whole_model():
    model = fitted(Reconstructing(seed=0))
    model.trainable = False
    before = model.get_weights()
    fitted(model)
    assert all(map(np.array_equal, model.get_weights(), before))
    assert float(model.train_state.state["penalty"]["weights"]) == 0


def test_nested_models_share_their_weights():
    class Whole(Model):
        def __init__(self, encoder):
            super().__init__()
            self.encoder, self.head = encoder, Dense(1)

        def call(self, inputs):
            return self.head(self.encoder(inputs))

    encoder = Encoder(4, name="coder", seed=0)
    one, other = Whole(encoder), Whole(encoder)
    fitted(one)
    assert [view.name for view in one.layers] == ["coder", "head"]
    assert [view.name for view in one.get_layer("coder").layers] == ["first", "norm"]
    other.build((None, 8))
    encoder.build((None, 8))
    for _ in range(2):
        for holder in (other.get_layer("coder"), encoder):
            for a, b in zip(holder.get_weights(), one.layers[0].get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)
        fitted(one)
    assert float(encoder.train_state.state["norm"]["moving_mean"][0]) != 0
    assert one.encoder is encoder


def test_several_inputs_and_outputs():
    class Listed(Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = Dense(2), Dense(3)

        def call(self, left, right):
            return [self.left(left), self.right(right)]

    model = Listed()
    model.compile("sgd", "mse")
    x, y = [X[:, :3], X[:, 3:]], [X[:, :2], X[:, :3]]
    assert set(model.fit(x, y, verbose=0).history) == {
        "loss", "output_0_loss", "output_1_loss"
    }  # fmt: skip
    assert [a.shape for a in model.predict(x, verbose=0)] == [(40, 2), (40, 3)]
    assert model.output_shape == [(None, 2), (None, 3)]

    class Named(Model):
        def __init__(self):
            super().__init__()
            self.left, self.right = Dense(2), Dense(3)

        def call(self, inputs):
            return {"sum": self.left(inputs["a"]), "all": self.right(inputs["b"])}

    model = Named()
    model.build({"a": (None, 3), "b": (None, 5)})
    assert model.output_names == ["all", "sum"]
    model.compile("sgd", {"sum": "mse", "all": "mae"})
    history = model.fit({"a": x[0], "b": x[1]}, {"sum": y[0], "all": y[1]}, verbose=0).history
    assert set(history) == {"loss", "all_loss", "sum_loss"}


def test_monte_carlo_dropout():
    class MCDropout(Dropout):
        def call(self, inputs, training=False):
            return super().call(inputs, training=True)

    class Uncertain(Model):
        def __init__(self):
            super().__init__()
            self.dropout, self.out = MCDropout(0.5), Dense(1)

        def call(self, inputs):
            return self.out(self.dropout(inputs))

    for model in (Uncertain(), fjax.Sequential([fjax.Input((8,)), MCDropout(0.5), Dense(1)])):
        fitted(model)
        for training in (False, True):
            draws = np.stack([model(X, training=training) for _ in range(20)])
            assert draws.std(axis=0).min() > 0


def test_a_custom_step_of_an_authored_model():
    class Own(Encoder):
        def train_step(self, train_state, batch):
            def objective(params):
                outputs, state = self.network.apply(
                    params, train_state.state, *batch.inputs, training=True
                )
                return jnp.mean(outputs**2), state

            (loss, state), grads = jax.value_and_grad(objective, has_aux=True)(train_state.params)
            params = jax.tree.map(lambda p, g: p - 0.1 * g, train_state.params, grads)
            return train_state._replace(params=params, state=state), {"loss": loss}

    model = Own(3, seed=0)
    model.compile()
    losses = model.fit(X, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_copy_is_another_model():
    model = fitted(Encoder(1, seed=0))
    other = copy.deepcopy(model)
    before = model.get_weights()
    fitted(other, 2)
    assert all(map(np.array_equal, model.get_weights(), before))


def test_a_forgotten_super_init_is_an_error():
    class Forgets(Model):
        def __init__(self):
            self.dense = Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    for use in (repr, lambda model: model.fit(X, Y), lambda model: model.summary()):
        with pytest.raises(RuntimeError, match=r"`Forgets.__init__` did not call `super\(\)"):
            use(Forgets())


@pytest.mark.parametrize(
    ("name", "value"),
    [("input", Dense(1)), ("layers", []), ("history", Dense(1)), ("fit", [Dense(1)]),
     ("name", Dense(1)), ("outputs", {"a": Dense(1)}), ("loss", "mse")],
)  # fmt: skip
def test_an_attribute_with_a_reserved_name_raises(name, value):
    class Named(Model):
        def __init__(self):
            super().__init__()
            setattr(self, name, value)

        def call(self, inputs):
            return inputs

    with pytest.raises(
        ValueError, match=f"`Named`: `{name}` is an attribute of `Model`. .* `my_{name}`"
    ):
        Named()


def test_mistakes_are_clear_errors():
    class Empty(Model):
        def __init__(self):
            super().__init__()

    with pytest.raises(TypeError, match="a subclass that defines `call`"):
        Empty()
    with pytest.raises(
        ValueError, match=r"does not accept `input_shape`.*call `model.build\(\(None"
    ):
        Encoder(3, input_shape=(8,))
    with pytest.raises(AttributeError, match="is built by `build"):
        Encoder(3).built = True
    with pytest.raises(AttributeError, match="no attribute 'frist'"):
        _ = Encoder(3).frist

    class Recursive(Encoder):
        def __init__(self):
            super().__init__(3)
            self.parts = {"inner": [self]}

    with pytest.raises(ValueError, match="cannot contain itself: Recursive > Recursive"):
        Recursive().predict(X, verbose=0)
