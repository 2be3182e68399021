"""A `build` that takes more than shapes, which the containing layer or the user calls."""

import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.linspace(-1, 1, 20, dtype="float32").reshape(4, 5)


def inner_class(library):
    class Inner(library.layers.Layer):
        def build(self, input_shape, initializer, width=3):
            self.kernel = self.add_weight((input_shape[-1], width), initializer)
            self.built = True

        def call(self, inputs):
            return library.ops.matmul(inputs, self.kernel)

    return Inner


def outer_class(library):
    class Outer(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = inner_class(library)()

        def build(self, input_shape):
            self.inner.build(input_shape, library.initializers.Constant(0.5), width=2)
            self.built = True

        def call(self, inputs):
            return self.inner(inputs)

    return Outer


def test_the_containing_layer_builds_it(compare):
    def program(library):
        layer = outer_class(library)()
        outputs = np.asarray(layer(X))
        model = library.Sequential([library.Input((5,)), outer_class(library)()])
        model.compile(library.optimizers.SGD(0.1), "mse")
        history = model.fit(X, X[:, :2], epochs=2, verbose=0, shuffle=False).history["loss"]
        return outputs, [w.shape for w in layer.get_weights()], history, model.get_weights()

    compare(program)


@pytest.mark.parametrize(
    ("arguments", "options"), [(("ones",), {}), ((), {"initializer": "ones", "width": 2})]
)
def test_a_user_builds_it(compare, arguments, options):
    def program(library):
        layer = inner_class(library)()
        layer.build((None, 5), *arguments, **options)
        outputs = np.asarray(layer(X))
        model = library.Sequential([library.Input((5,)), layer])
        model.compile(library.optimizers.SGD(0.1), "mse")
        history = model.fit(X, outputs + 1, epochs=2, verbose=0, shuffle=False).history["loss"]
        return outputs, history, layer.get_weights()

    compare(program)


def test_nobody_builds_it():
    with pytest.raises(TypeError, match=r"takes anything else is called by you: `layer.build"):
        inner_class(fjax)()(X)
