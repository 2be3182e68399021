"""What `call` and `build` are given."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Layer, Model
from tests.authoring.example_layers import X, built, close


def test_inputs_and_shapes_one_by_one_in_lists_and_in_dicts():
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


def test_keyword_arguments_of_a_call():
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


def test_wrong_inputs_and_keywords_are_errors():
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
