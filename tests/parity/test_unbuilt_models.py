"""What a model shows before it is built, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

X = np.ones((4, 2), "float32")
ATTRIBUTES = (
    "weights", "trainable_weights", "non_trainable_weights", "variables", "trainable_variables",
    "non_trainable_variables", "losses",
)  # fmt: skip


def subclassed(library):
    class Subclassed(library.Model):
        def __init__(self):
            super().__init__()
            self.dense = library.layers.Dense(2)
            self.inner = library.Sequential([library.layers.Dense(3)])

        def call(self, inputs):
            return self.inner(self.dense(inputs))

    return Subclassed()


MODELS = {
    "empty": lambda library: library.Sequential(),
    "sequential": lambda library: library.Sequential([library.layers.Dense(2)]),
    "subclassed": subclassed,
}


@pytest.mark.parametrize("name", MODELS)
def test_an_unbuilt_model_has_no_weights(name):
    for library in (keras, fjax):
        model = MODELS[name](library)
        assert model.get_weights() == []
        assert [getattr(model, attribute) for attribute in ATTRIBUTES] == [[]] * len(ATTRIBUTES)
        model.set_weights([])
        for mistake in (model.count_params, lambda model=model: model.set_weights([X])):
            with pytest.raises(ValueError, match=model.name):
                mistake()


def test_weights_of_a_built_layer_are_not_hidden():
    model = subclassed(keras)
    model.dense.build((None, 2))
    assert len(model.weights) == 2
    # Ours draws all weights at once, so that it needs the shape of the input.
    model = subclassed(fjax)
    model.dense.build((None, 2))
    with pytest.raises(ValueError, match="does not know its input shape"):
        _ = model.weights


def test_an_inner_model_is_called_on_arrays_after_the_outer_one_was_built():
    counts = []
    for library in (keras, fjax):
        model = subclassed(library)
        # Keras's `build` warns about a class without a `build`.
        model.build((None, 2)) if library is fjax else model(X)
        assert model.inner(X).shape == (4, 3)
        lines = []
        model.summary(print_fn=lambda line, lines=lines, **options: lines.append(line))
        assert any("inner" in line or "sequential" in line for line in lines)
        before = model.predict(X, verbose=0)
        model.inner.set_weights([2 * weight for weight in model.inner.get_weights()])
        np.testing.assert_allclose(model.predict(X, verbose=0), 2 * before, rtol=1e-6)
        counts.append(model.count_params())
    assert counts[0] == counts[1]


def test_an_inner_model_takes_batches_of_other_sizes():
    for library in (keras, fjax):
        inner = library.Sequential([library.layers.Conv1D(3, 2, padding="same")])

        class Outer(library.Model):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def call(self, inputs):
                return self.inner(inputs)

        model = Outer(inner)
        shapes = [(2, 7, 2), (2, 5, 2)]
        assert [model(np.ones(shape)).shape for shape in shapes] == [(2, 7, 3), (2, 5, 3)]
        assert [inner(np.ones(shape)).shape for shape in shapes] == [(2, 7, 3), (2, 5, 3)]
