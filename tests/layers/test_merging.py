"""Merge layers: error messages, dtypes and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import branch, layers, serial
from fjax.layers import Add, Average, Concatenate, Dense, Dot, Multiply, Subtract

KEY = jax.random.key(0)
MERGE_LAYERS = [
    *(getattr(layers, name)() for name in ("Add", "Subtract", "Multiply", "Average")),
    *(getattr(layers, name)() for name in ("Maximum", "Minimum", "Concatenate")),
    Dot(axes=1),
]
every_layer = pytest.mark.parametrize("layer", MERGE_LAYERS, ids=repr)


def ones(*shape, dtype="float32"):
    return jnp.ones(shape, dtype)


def apply(layer, *inputs):
    return layer.apply({}, {}, *inputs)[0]


@every_layer
def test_fewer_than_two_inputs_are_rejected(layer):
    owner = type(layer).__name__
    with pytest.raises(TypeError, match=rf"`{owner}` takes .* 2 inputs, .* 1 of shapes \(4, 3\)"):
        apply(layer, ones(4, 3))
    with pytest.raises(TypeError, match=rf"`{owner}` takes .* 2 inputs, .* received 0\."):
        apply(layer)


@every_layer
def test_a_list_of_inputs_is_rejected(layer):
    with pytest.raises(TypeError, match="as separate arguments, received 1 of shapes `list`"):
        apply(layer, [ones(4, 3), ones(4, 3)])


@pytest.mark.parametrize("layer", [Subtract(), Dot(axes=1)], ids=repr)
def test_three_inputs_are_rejected(layer):
    with pytest.raises(TypeError, match=r"exactly 2 inputs.*3 of shapes \(4, 3\) and \(4, 2\) and"):
        apply(layer, ones(4, 3), ones(4, 2), ones(4, 3))


@every_layer
def test_different_batch_sizes_are_rejected(layer):
    name = type(layer).__name__
    for first, second in ((ones(4, 3), ones(5, 3)), (ones(4, 3), ones(1, 3))):
        with pytest.raises(ValueError, match=rf"`{name}` cannot merge .*\(4, 3\).*batch axes"):
            apply(layer, first, second)


@every_layer
def test_a_scalar_is_rejected(layer):
    with pytest.raises(ValueError, match=r"shapes \(4, 3\) and \(\): each needs a batch axis"):
        apply(layer, ones(4, 3), ones())


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (Add(), [(4, 3), (4, 2)], r"`Add` cannot merge .*\(4, 3\) and \(4, 2\).*equal or 1"),
        (Add(), [(4, 3), (4, 1), (4, 2)], r"\(4, 3\) and \(4, 1\) and \(4, 2\)"),
        (Multiply(), [(4, 3, 2), (4, 3)], r"`Multiply` cannot merge .*equal or 1"),
        (Concatenate(), [(4, 3), (4, 2, 3)], "same number of axes"),
        (Concatenate(), [(4, 3, 2), (4, 2, 2)], "all axes but axis -1 must have equal sizes"),
        (Concatenate(axis=1), [(4, 3, 2), (4, 2, 1)], "all axes but axis 1 must have equal sizes"),
        (Concatenate(axis=2), [(4, 3), (4, 3)], "axis 2 of an input of 2 axes does not exist"),
        (Concatenate(axis=-3), [(4, 3), (4, 3)], "axis -3 of an input of 2 axes does not exist"),
        (Concatenate(axis=-2), [(4, 3), (4, 3)], "axis -2 of an input of 2 axes is the batch"),
        (Concatenate(), [(4,), (4,)], "axis -1 of an input of 1 axes is the batch"),
        (Dot(axes=1), [(4, 3), (4, 2)], r"axes \(1, 1\) to multiply along have sizes 3 and 2"),
        (Dot(axes=(2, 1)), [(4, 3), (4, 3)], "axis 2 of an input of 2 axes does not exist"),
        (Dot(axes=-2), [(4, 3, 2), (4, 3)], "axis -2 of an input of 2 axes is the batch"),
        (Dot(axes=-1), [(4,), (4,)], "axis -1 of an input of 1 axes is the batch"),
    ],
)
def test_mismatched_shapes_are_rejected(layer, shapes, message):
    with pytest.raises(ValueError, match=message):
        apply(layer, *(ones(*shape) for shape in shapes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Concatenate(axis=0), r"`axis` must not be 0, the batch axis.*jnp.concatenate"),
        (lambda: Concatenate(axis=1.0), "`axis` must be an integer, received 1.0"),
        (lambda: Concatenate(axis=None), "`axis` must be an integer, received None"),
        (lambda: Dot(axes=0), "`axes` must not be 0, the batch axis"),
        (lambda: Dot(axes=(1, 0)), r"`axes\[1\]` must not be 0, the batch axis"),
        (lambda: Dot(axes=(1, True)), r"`axes\[1\]` must be an integer, received True"),
        (lambda: Dot(axes=(1, 2, 3)), "`axes` must be an integer or a pair of them"),
        (lambda: Dot(axes="last"), "`axes` must be an integer, received 'last'"),
    ],
)
def test_invalid_axes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_error_in_a_network_names_the_merge_layer():
    net = serial(branch(Dense(3), Dense(2)), Add(name="merge"))
    with pytest.raises(ValueError, match=r"\(4, 3\) and \(4, 2\)") as caught:
        net.init(KEY, ones(4, 5))
    notes = " ".join(caught.value.__notes__)
    assert "In layer 'merge', Add(name='merge'), with inputs of (4, 3) float32, (4, 2)" in notes


@every_layer
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_the_dtype_is_kept(layer, dtype):
    assert apply(layer, ones(4, 3, dtype=dtype), ones(4, 3, dtype=dtype)).dtype == dtype


def test_integers_stay_integers_if_possible():
    integers = ones(4, 3, dtype="int32")
    assert apply(Add(), integers, integers).dtype == "int32"
    assert apply(Average(), integers, 2 * integers).tolist()[0] == [1.5, 1.5, 1.5]
    assert apply(Dot(1, normalize=True), integers, integers).dtype == "float32"


def test_a_cosine_of_half_precision_does_not_overflow():
    large = ones(4, 3, dtype="float16") * 3e4
    np.testing.assert_allclose(apply(Dot(1, normalize=True), large, large), 1.0, rtol=2e-3)


def test_the_cosine_with_zeros_is_zero_and_has_a_gradient():
    def cosine(one):
        return apply(Dot(1, normalize=True), one, ones(4, 3)).sum()

    value, gradient = jax.value_and_grad(cosine)(jnp.zeros((4, 3)))
    assert value == 0 and np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "average"])
def test_a_function_takes_a_list(name):
    with pytest.raises(TypeError, match=rf"`{name}` takes a list of inputs.*`{name}\(\[first, "):
        getattr(layers, name)(ones(4, 3))


def test_a_function_checks_its_arguments():
    with pytest.raises(ValueError, match="`axis` must not be 0, the batch axis"):
        layers.concatenate([ones(4, 3), ones(4, 3)], axis=0)
    with pytest.raises(ValueError, match="`axes` must not be 0, the batch axis"):
        layers.dot([ones(4, 3), ones(4, 3)], axes=0)
