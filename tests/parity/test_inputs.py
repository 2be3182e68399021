"""Inputs in other forms than declared: what Keras takes gives Keras's numbers, the rest raises."""

import contextlib

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

BOTH = (keras, fjax)
RANDOM = np.random.default_rng(0)


def numbers(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def compiled(model):
    model.compile("sgd", "mse")
    return model


def with_weights_of(ours, theirs):
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def flat_model(library, shape):
    inputs = library.Input(shape)
    outputs = library.layers.Dense(2)(library.layers.Flatten()(inputs))
    return compiled(library.Model(inputs, outputs))


def recurrent(library, shape):
    layers = library.layers
    return compiled(library.Sequential([library.Input(shape), layers.LSTM(3), layers.Dense(2)]))


def embedded(library, shape):
    layers = library.layers
    pooling = layers.GlobalAveragePooling1D()
    return compiled(library.Sequential([library.Input(shape), layers.Embedding(9, 2), pooling]))


def results(model, x, y):
    """Return what each method gives, the training last."""
    return [
        model.predict(x, verbose=0),
        np.asarray(model(x)),
        model.predict_on_batch(x),
        model.evaluate(x, y, verbose=0),
        model.test_on_batch(x, y),
        model.train_on_batch(x, y),
        model.fit(x, y, epochs=2, verbose=0, shuffle=False).history["loss"],
        *model.get_weights(),
    ]


def compare(make, x, y):
    ours, theirs = with_weights_of(make(fjax), make(keras))
    for one, other in zip(results(ours, x, y), results(theirs, x, y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "declared", "given"),
    [
        (flat_model, (4, 3, 1), (4, 3)),
        (flat_model, (4, 3), (4, 3, 1)),
        (flat_model, (1,), ()),
        (flat_model, (5,), (5, 1)),
        (recurrent, (None, 1), (6,)),
        (recurrent, (6, 2), (6, 2, 1)),
    ],
)
def test_an_input_may_lack_a_last_axis_of_size_one_or_have_one_too_many(make, declared, given):
    compare(lambda library: make(library, declared), numbers(8, *given), numbers(8, 2))


def test_ids_with_an_axis_too_many():
    ids = RANDOM.integers(0, 9, (8, 5, 1))
    compare(lambda library: embedded(library, (None,)), ids, numbers(8, 2))


@pytest.mark.parametrize(
    ("declared", "given"), [((4, 3, 1), (4, 2)), ((4, 3), (4, 3, 2)), ((4, 3), (4,)), ((5,), ())]
)
def test_other_axes_are_refused(declared, given):
    for library in BOTH:
        with pytest.raises(ValueError, match=r"(?i)expect"):
            flat_model(library, declared).predict(numbers(8, *given), verbose=0)


def test_several_inputs_may_lack_a_last_axis():
    def make(library):
        one, other = library.Input((4, 1), name="one"), library.Input((1,), name="other")
        layers = library.layers
        merged = layers.Concatenate()([layers.Flatten()(one), other])
        return compiled(library.Model([one, other], layers.Dense(2)(merged)))

    x = {"one": numbers(8, 4), "other": numbers(8)}
    compare(make, x, numbers(8, 2))
    compare(make, [x["one"], x["other"]], numbers(8, 2))


@pytest.mark.parametrize("targets", [(8,), (8, 1), (8, 1, 1)])
@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_crossentropy"])
def test_targets_of_one_column(targets, loss):
    x, y = numbers(8, 3), RANDOM.uniform(0, 1, targets).astype("float32")
    models = []
    for library in BOTH:
        layers = [library.Input((3,)), library.layers.Dense(1, "sigmoid")]
        model = library.Sequential(layers)
        model.compile("sgd", loss, metrics=["mae", "mse"])
        models.append(model)
    theirs, ours = models
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-5
    )


def two_inputs(library, names):
    tensors = {"a": library.Input((2,), name="a"), "b": library.Input((3,), name="b")}
    layers = library.layers
    outputs = layers.Dense(1)(layers.Concatenate()([tensors["a"], tensors["b"]]))
    structure = {name: tensors[name] for name in names} if isinstance(names, str) else None
    return compiled(library.Model(structure or [tensors[name] for name in names], outputs))


A, B = numbers(4, 2), numbers(4, 3)


@pytest.mark.parametrize("names", ["ab", "ba", ["a", "b"]], ids=str)
def test_an_entry_too_many_is_not_used(names):
    x, y = {"b": B, "c": A, "a": A}, numbers(4, 1)
    ours, theirs = with_weights_of(two_inputs(fjax, names), two_inputs(keras, names))
    with pytest.warns(UserWarning, match="`x` has 'c' beside the inputs of the model"):
        outputs = ours.predict(x, verbose=0)
    with pytest.warns(UserWarning) if isinstance(names, str) else contextlib.nullcontext():
        expected = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)
    with pytest.warns(UserWarning, match="it is not used"):
        ours.fit(x, y, verbose=0)


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_list_for_a_dict_of_inputs(names):
    x = [A, B]
    ours, theirs = with_weights_of(two_inputs(fjax, names), two_inputs(keras, names))
    if names == "ab":
        with pytest.warns(UserWarning, match="structure"):
            expected = theirs.predict(x, verbose=0)
        np.testing.assert_allclose(ours.predict(x, verbose=0), expected, rtol=1e-5)
        return
    with pytest.raises(ValueError, match="expected structure"):
        theirs.predict(x, verbose=0)
    with pytest.raises(ValueError, match="inputs b, a, and received a list"):
        ours.predict(x, verbose=0)


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("x", [{"a": A}, {"a": A, "c": B}, {}], ids=lambda x: " ".join(x))
def test_a_missing_entry_raises(library, x):
    with pytest.raises(ValueError):
        two_inputs(library, ["a", "b"]).fit(x, numbers(4, 1), verbose=0)


def test_a_sequential_without_input_takes_batches_of_other_lengths():
    def make(library):
        layers = library.layers
        return compiled(library.Sequential([layers.GRU(3), layers.Dense(2)]))

    first, longer, y = numbers(4, 5, 3), numbers(4, 7, 3), numbers(4, 2)
    ours, theirs = make(fjax), make(keras)
    for model in (ours, theirs):
        model.predict(first, verbose=0)
    ours.set_weights(theirs.get_weights())
    for one, other in zip(results(ours, longer, y), results(theirs, longer, y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    logs = [
        model.fit(
            ((x, y) for x in (first, longer)), verbose=0, shuffle=False, steps_per_epoch=2
        ).history["loss"]
        for model in (ours, theirs)
    ]
    np.testing.assert_allclose(*logs, rtol=1e-4)
    with pytest.raises(ValueError, match=r"built for|received inputs"):
        ours.predict(numbers(4, 5, 2), verbose=0)


def authored(library, call):
    return type("First", (library.layers.Layer,), {"call": call})()


@pytest.mark.parametrize(
    ("first", "x"),
    [
        (lambda library: authored(library, lambda self, x: x["a"] * 2 + x["b"]), {"a": A, "b": A}),
        (lambda library: authored(library, lambda self, x: x[0] * 2 + x[1]), [A, A + 1]),
        (lambda library: library.layers.Concatenate(), [A, B]),
    ],
    ids=["dict", "list", "merge"],
)
def test_the_first_layer_of_a_sequential_may_take_several_arrays(first, x):
    y = numbers(4, 1)
    models = []
    for library in BOTH:
        model = compiled(library.Sequential([first(library), library.layers.Dense(1)]))
        model.predict(x, verbose=0)
        models.append(model)
    theirs, ours = models
    ours.set_weights(theirs.get_weights())
    for one, other in zip(results(ours, x, y), results(theirs, x, y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


UNKNOWN = {
    "group": (lambda layers: layers.GroupNormalization(2), (None, None)),
    "group, axis 1": (lambda layers: layers.GroupNormalization(2, axis=1), (None, 4)),
    "layer": (lambda layers: layers.LayerNormalization(), (4, None)),
    "batch": (lambda layers: layers.BatchNormalization(), (4, None)),
    "dense": (lambda layers: layers.Dense(2), (4, None)),
    "rms": (lambda layers: layers.RMSNormalization(), (4, None)),
    "normalization": (lambda layers: layers.Normalization(mean=0.0, variance=1.0), (4, None)),
}


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("case", UNKNOWN)
def test_a_weight_over_an_axis_of_unknown_size_raises(library, case):
    make, shape = UNKNOWN[case]
    with pytest.raises(ValueError, match=r"None|defined"):
        library.Sequential([library.Input(shape), make(library.layers)])


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("noise_shape", ["a", 3, (None, -1), (None, 0), (None, 1.5)])
def test_an_invalid_noise_shape_raises(library, noise_shape):
    with pytest.raises(ValueError, match="noise_shape"):
        library.layers.Dropout(0.5, noise_shape=noise_shape)


@pytest.mark.parametrize("noise_shape", [(None, 1, 4), (1, 4), (2, 1, 1), (4,)])
def test_a_noise_shape_drops_the_same_entries_together(noise_shape):
    for library in BOTH:
        layers = [library.Input((3, 4)), library.layers.Dropout(0.5, noise_shape=noise_shape)]
        model = library.Sequential(layers)
        dropped = np.asarray(model(np.ones((2, 3, 4), "float32"), training=True)) == 0
        varies = [bool((dropped != dropped.take([0], axis)).any()) for axis in range(3)]
        full = (1,) * (3 - len(noise_shape)) + noise_shape
        assert not any(v for v, size in zip(varies, full, strict=True) if size == 1)


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("axis", [3, -4, (1, 3)])
def test_an_axis_that_normalization_does_not_find_raises(library, axis):
    with pytest.raises(ValueError, match="axis"):
        library.layers.Normalization(axis=axis, mean=0.0, variance=1.0)(library.Input((3, 4)))
    with pytest.raises(ValueError, match="axis"):
        library.layers.Normalization(axis=axis).adapt(numbers(2, 3, 4))


@pytest.mark.parametrize("axis", [0, (-3, 1), (1, 1)])
def test_statistics_along_the_batch_axis_or_an_axis_twice_raise(axis):
    with pytest.raises(ValueError, match="batch"):
        layer = fjax.layers.Normalization(axis=axis)
        layer.adapt(numbers(2, 3, 4))


def tree_map(function, tree):
    if isinstance(tree, dict):
        return {name: tree_map(function, value) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(tree_map(function, value) for value in tree)
    return function(tree)


@pytest.mark.parametrize(
    "structure",
    [
        {"a": ["p", "q"], "r": "r"},
        [{"a": "p"}, {"b": "q"}],
        {"a": {"c": "p", "d": "q"}, "r": "r"},
        [["p", "q"], "r"],
        (("p", "q"), "r"),
    ],
    ids=str,
)
def test_inputs_may_be_nested(structure):
    data = {name: numbers(8, 3) for name in "pqr"}

    def make(library):
        inputs, flat = tree_map(lambda name: library.Input((3,), name=name), structure), []
        tree_map(flat.append, inputs)
        layers = library.layers
        return compiled(library.Model(inputs, layers.Dense(2)(layers.Concatenate()(flat))))

    compare(make, tree_map(data.get, structure), numbers(8, 2))
