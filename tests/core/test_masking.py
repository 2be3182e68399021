"""Masks in layers, combinators, graphs, models and Keras-style classes."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Layer, layers
from fjax.core import branch, graph, repeat, residual, serial
from fjax.core.masking import Masked, masking_of, strip_masks
from fjax.core.precision import apply_layer
from fjax.core.shapes import eval_shapes


class MaskZeros(Layer):
    """Masks the steps whose features are all zero."""

    masking = "takes"

    def apply(self, params, state, *inputs, key=None, training=False):
        (values,) = inputs
        return Masked(values, jnp.any(values != 0, axis=-1)), state


class MeanOverSteps(Layer):
    """Uses a mask: the mean of the unmasked steps."""

    masking = "takes"

    def apply(self, params, state, *inputs, key=None, training=False):
        (masked,) = inputs
        share = masked.mask[..., None].astype(masked.dtype)
        return jnp.sum(masked.values * share, axis=1) / jnp.sum(share, axis=1), state


INPUTS = np.arange(1.0, 25.0, dtype="float32").reshape(2, 4, 3)
INPUTS[0, 2:] = 0.0
INPUTS[1, 3] = 0.0
MEANS = np.stack([INPUTS[0, :2].mean(axis=0), INPUTS[1, :3].mean(axis=0)])


def run(network, *inputs):
    params, state = network.init(jax.random.key(0), *inputs)
    return network.apply(params, state, *inputs)[0]


def test_a_mask_passes_through_serial_layers():
    network = serial(MaskZeros(), layers.Activation("linear"), MeanOverSteps())
    np.testing.assert_allclose(run(network, INPUTS), MEANS, rtol=1e-6)


def test_a_mask_passes_through_nested_networks():
    inner = serial(layers.Activation("linear"), layers.Rescaling(1.0))
    network = serial(MaskZeros(), inner, MeanOverSteps())
    np.testing.assert_allclose(run(network, INPUTS), MEANS, rtol=1e-6)


def test_a_residual_keeps_the_mask():
    network = serial(MaskZeros(), residual(layers.Activation("linear")), MeanOverSteps())
    np.testing.assert_allclose(run(network, INPUTS), 2 * MEANS, rtol=1e-6)


def test_a_mask_passes_through_repeated_blocks():
    network = serial(MaskZeros(), repeat(layers.Rescaling(2.0), 3), MeanOverSteps())
    np.testing.assert_allclose(run(network, INPUTS), 8 * MEANS, rtol=1e-6)


def test_each_branch_receives_the_mask():
    branches = branch(layers.Rescaling(1.0), layers.Rescaling(2.0))
    network = serial(MaskZeros(), branches, layers.Add(), MeanOverSteps())
    np.testing.assert_allclose(run(network, INPUTS), 3 * MEANS, rtol=1e-6)


@pytest.mark.parametrize("transform", [jax.jit, lambda f: jax.vmap(lambda x: f(x[None])[0])])
def test_a_network_with_masks_under_transformations(transform):
    network = serial(MaskZeros(), layers.Rescaling(1.0), MeanOverSteps())
    params, state = network.init(jax.random.key(0), INPUTS)
    outputs = transform(lambda x: network.apply(params, state, x)[0])(INPUTS)
    np.testing.assert_allclose(outputs, MEANS, rtol=1e-6)


def test_a_masked_value_can_be_the_carry_of_a_scan():
    masked = Masked(jnp.asarray(INPUTS), jnp.any(INPUTS != 0, axis=-1))

    def body(carry, _):
        return apply_layer(layers.Rescaling(2.0), {}, {}, carry)[0], None

    outputs, _ = jax.lax.scan(body, masked, length=3)
    np.testing.assert_array_equal(outputs.values, 8 * INPUTS)
    np.testing.assert_array_equal(outputs.mask, masked.mask)


def test_a_layer_without_masking_drops_the_mask_with_a_warning():
    network = serial(MaskZeros(), layers.Reshape((4, 3)))
    with pytest.warns(UserWarning, match="layer `Reshape` received inputs with a mask"):
        outputs = run(network, INPUTS)
    assert not isinstance(outputs, Masked)


def test_without_a_mask_there_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(serial(layers.Rescaling(1.0), layers.Reshape((4, 3))), INPUTS)


class TestGraphs:
    """Symbolic tensors, whose masks are tensors of the graph."""

    def masked_graph(self):
        inputs = layers.Input((None, 3))
        outputs = MeanOverSteps()(layers.Activation("linear")(MaskZeros()(inputs)))
        return inputs, outputs

    def test_the_mask_is_an_edge_of_the_graph(self):
        network = graph(*self.masked_graph())
        np.testing.assert_allclose(run(network, INPUTS), MEANS, rtol=1e-6)
        assert any(isinstance(value, Masked) for call in network.calls for value in call.inputs)
        assert network == graph(*self.masked_graph())
        assert hash(network) == hash(graph(*self.masked_graph()))

    def test_a_symbolic_tensor_has_a_mask(self):
        tensor = MaskZeros()(layers.Input((None, 3)))
        assert (tensor.shape, tensor.mask.shape, tensor.mask.dtype) == (
            (None, None, 3), (None, None), "bool",
        )  # fmt: skip
        assert tensor[:, 0].mask is None

    def test_a_mask_as_keyword_argument(self):
        inputs, mask = layers.Input((4, 3)), layers.Input((4,), dtype="bool", name="mask")
        network = graph([inputs, mask], MeanOverSteps()(inputs, mask=mask))
        mask = np.any(INPUTS != 0, axis=-1)
        np.testing.assert_allclose(run(network, INPUTS, mask), MEANS, rtol=1e-6)

    def test_more_masks_than_inputs_are_rejected(self):
        inputs = layers.Input((4, 3))
        with pytest.raises(ValueError, match="with 2 masks for 1 inputs"):
            MeanOverSteps()(inputs, mask=[inputs, inputs])

    def test_a_model_with_masked_outputs(self):
        inputs = layers.Input((None, 3))
        outputs = layers.Dense(2)(MaskZeros()(inputs))
        model = fjax.Model(inputs, outputs)
        assert model.output_shape == (None, None, 2)
        assert model.output_names == ["dense"]
        assert model.predict(INPUTS, verbose=0).shape == (2, 4, 2)
        assert model(INPUTS).shape == (2, 4, 2)
        wider = fjax.Model(inputs, MeanOverSteps()(model(inputs)))
        expected = MEANS @ model.get_weights()[0]
        np.testing.assert_allclose(wider.predict(INPUTS, verbose=0), expected, rtol=1e-5)

    def test_a_summary_does_not_show_masks(self):
        inputs = layers.Input((None, 3))
        model = fjax.Model(inputs, MeanOverSteps()(layers.Dense(2)(MaskZeros()(inputs))))
        lines = []
        model.summary(print_fn=lines.append)
        text = "\n".join(lines)
        assert "(None, None, 2)" in text
        assert "bool" not in text
        calls = model.layer_calls()
        assert [len(each.outputs) for each in calls.layers] == [1, 1, 1, 1]


class TestMerging:
    """Masks of merged values, as in Keras."""

    masked = Masked(jnp.ones((1, 3, 2)), jnp.array([[True, False, False]]))
    other = Masked(jnp.ones((1, 3, 2)), jnp.array([[True, True, False]]))

    def test_the_mask_of_a_sum_is_the_logical_or(self):
        outputs, _ = layers.Add().apply({}, {}, self.masked, self.other)
        assert outputs.mask.tolist() == [[True, True, False]]

    def test_a_sum_with_an_unmasked_input_has_no_mask(self):
        outputs, _ = layers.Add().apply({}, {}, self.masked, jnp.ones((1, 3, 2)))
        assert not isinstance(outputs, Masked)

    @pytest.mark.parametrize(
        ("axis", "expected"),
        [(-1, [[True, True, False]]), (1, [[True, False, False, True, True, False]])],
    )
    def test_concatenated_masks(self, axis, expected):
        outputs, _ = layers.Concatenate(axis).apply({}, {}, self.masked, self.other)
        assert outputs.mask.tolist() == expected

    def test_an_unmasked_input_of_a_concatenation_counts_everywhere(self):
        outputs, _ = layers.Concatenate(1).apply({}, {}, self.masked, jnp.ones((1, 1, 2)))
        assert outputs.mask.tolist() == [[True, False, False, True]]


class Doubling(Layer):
    """A Keras-style layer that supports masking."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, inputs):
        return 2 * inputs


class ComputesMask(Layer):
    """A Keras-style layer that uses the mask and computes a new one."""

    def call(self, inputs, mask=None):
        return inputs * mask[..., None]

    def compute_mask(self, inputs, mask=None):
        return ~mask


class WithSublayers(Layer):
    """A Keras-style layer whose sublayers pass a mask on."""

    def __init__(self):
        super().__init__()
        self.mask_zeros = MaskZeros()
        self.linear = layers.Activation("linear")
        self.mean = MeanOverSteps()

    def call(self, inputs):
        return self.mean(self.linear(self.mask_zeros(inputs)))


class Plain(Layer):
    """A Keras-style layer without masking."""

    def call(self, inputs):
        return jnp.square(inputs)


class TestAuthored:
    """Keras-style classes receive masks as in Keras."""

    def test_supports_masking_keeps_the_mask(self):
        network = serial(MaskZeros(), Doubling(), MeanOverSteps())
        np.testing.assert_allclose(run(network, INPUTS), 2 * MEANS, rtol=1e-6)

    def test_call_and_compute_mask_receive_the_mask(self):
        outputs = run(serial(MaskZeros(), ComputesMask()), INPUTS)
        np.testing.assert_array_equal(outputs.values, INPUTS)
        np.testing.assert_array_equal(outputs.mask, np.all(INPUTS == 0, axis=-1))

    def test_a_mask_passes_from_sublayer_to_sublayer(self):
        np.testing.assert_allclose(run(WithSublayers(), INPUTS), MEANS, rtol=1e-6)

    def test_a_layer_without_masking_drops_the_mask(self):
        with pytest.warns(UserWarning, match="`Plain` received inputs with a mask"):
            outputs = run(serial(MaskZeros(), Plain()), INPUTS)
        np.testing.assert_array_equal(outputs, INPUTS**2)


def test_a_masked_value_can_be_used_as_an_array():
    masked = Masked(jnp.asarray(INPUTS), jnp.any(INPUTS != 0, axis=-1))
    assert (masked.ndim, masked.dtype, len(masked)) == (3, jnp.float32, 2)
    for value in (masked + 0, 0 + masked, masked - np.zeros(3, "float32"), masked[:], +1 * masked):
        assert not isinstance(value, Masked)
        np.testing.assert_array_equal(value, INPUTS)
    np.testing.assert_allclose(jnp.mean(masked, axis=1), INPUTS.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(strip_masks([masked])[0], INPUTS)
    with pytest.raises(AttributeError):
        masked.no_such_attribute  # noqa: B018


def test_masking_of_layers():
    assert [masking_of(layer) for layer in (layers.Dense(1), layers.Flatten(), jnp.tanh)] == [
        "keeps", "ends", "ends",
    ]  # fmt: skip


def test_eval_shapes_includes_the_mask():
    shapes = eval_shapes(MaskZeros(), jax.ShapeDtypeStruct((2, 4, 3), "float32"))
    assert shapes.outputs.mask.shape == (2, 4)


class MadeInBuild(Layer):
    """A Keras-style layer that creates its sublayer in `build`."""

    def build(self, input_shape):
        self.mean = MeanOverSteps()

    def call(self, inputs):
        return self.mean(inputs)


def test_sublayers_created_in_build_receive_the_mask():
    network = serial(MaskZeros(), MadeInBuild())
    np.testing.assert_allclose(run(network, INPUTS), MEANS, rtol=1e-6)
