"""What an author's code may do in which method."""

import numpy as np
import pytest

from fjax import Layer, Sequential
from fjax.authoring.phases import ALLOWED, Operation, Phase
from fjax.layers import Dense, Dropout, Input
from tests.authoring.example_layers import X, built, layer_of

pytestmark = pytest.mark.short

DO = {
    Operation.ADD_WEIGHT: lambda self: self.add_weight((3,)),
    Operation.ADD_LOSS: lambda self: self.add_loss(1.0),
    Operation.CALL_SUBLAYER: lambda self: self.inner(X),
    Operation.CALL_EXTENDED: lambda self: Dropout.call(self, X),
}


def run(operation, phase):
    """Do an operation in a phase of a layer that allows each of them somewhere."""
    do = DO[operation]

    class Extended(Dropout):
        def __init__(self):
            super().__init__(0.5)
            self.inner = Dense(3)
            if phase is Phase.CONSTRUCT:
                do(self)

        def build(self, input_shape):
            if phase is Phase.BUILD:
                do(self)

        def call(self, inputs):
            if phase is Phase.CALL:
                do(self)
            return self.inner(inputs)

    layer = Extended()
    if phase is Phase.OUTSIDE:
        do(layer)
    else:
        built(layer)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("operation", Operation)
def test_each_phase_allows_what_the_table_says(operation, phase):
    if phase in ALLOWED[operation]:
        run(operation, phase)
    elif operation is Operation.CALL_SUBLAYER:
        # There a sublayer is a layer like any other, whose weights are in its slot.
        run(operation, phase)
    else:
        with pytest.raises(RuntimeError, match=f"`Extended`: .* was called {phase.value}"):
            run(operation, phase)


def test_the_error_says_where_and_why():
    with pytest.raises(RuntimeError) as error:
        built(layer_of(call=lambda self, x: x * self.add_weight((3,))))
    assert str(error.value) == (
        "`Made`: `add_weight` was called in `call`. Call it in `__init__` or in `build`, so that "
        "`init` and every `apply` find the same weights."
    )


def test_an_authors_build_called_from_outside_makes_weights_in_the_slot():
    layer = layer_of(lambda self: setattr(self, "w", self.add_weight((3,))))
    layer.build((None, 3))
    assert layer.w.shape == (3,)
    assert "w" not in vars(layer)
    assert list(built(layer)[0]) == ["w"]


def test_build_may_read_the_weights_of_a_sublayer_that_it_builds():
    class Masked(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Dense(2)

        def build(self, input_shape):
            self.inner.build(input_shape)
            self.mask = self.add_weight(self.inner.kernel.shape, "ones", trainable=False)

        def call(self, inputs):
            return self.inner(inputs) + (inputs @ self.mask)

    layer = Masked()
    params, state = built(layer)
    assert params["inner"]["kernel"].shape == state["mask"].shape
    layer.apply(params, state, X)
    np.testing.assert_array_equal(layer(X).shape, (len(X), 2))


def test_a_sublayer_is_built_by_its_call():
    class Inner(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(input_shape[-1:], "ones")

        def call(self, inputs):
            return inputs * self.w

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def build(self, input_shape):
            self.out = Dense(2)
            self.inner.build(input_shape)
            self.out.build(input_shape)

        def call(self, inputs):
            return self.out(self.inner(inputs))

    layer = Outer()
    params, _ = built(layer)
    assert params["inner"]["w"].shape == (3,) and "w" not in vars(layer.inner)
    assert Sequential([Input((3,)), layer]).output_shape == (None, 2)


def test_a_bound_sublayer_cannot_be_called_after_the_pass():
    kept = []

    def call(self, inputs):
        kept.append(self.inner)
        return self.inner(inputs)

    layer = layer_of(lambda self: setattr(self, "inner", Dense(3)), call)
    params, state = built(layer)
    layer.apply(params, state, X)
    with pytest.raises(RuntimeError, match="the sublayer 'inner' was called outside of"):
        kept[-1](X)


def test_an_error_in_init_leaves_nothing_on_the_object():
    class Fails(Layer):
        def __init__(self):
            super().__init__()
            self.add_weight((3,))
            raise KeyError("no")

        def call(self, inputs):
            return inputs

    layer = Fails.__new__(Fails)
    with pytest.raises(KeyError):
        layer.__init__()
    with pytest.raises(RuntimeError, match="was called outside of"):
        layer.add_loss(1.0)


def test_call_of_a_layer_that_no_author_wrote():
    with pytest.raises(RuntimeError, match=r"`Dense`: .* put it into a model, or call `init`"):
        Dense(3).call(X)
