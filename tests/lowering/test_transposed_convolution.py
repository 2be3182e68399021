"""Transposed convolution compared with XLA's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import lowering
from fjax.lowering.transposed_convolution import output_range, transpose_by_xla
from fjax.lowering.windows import Windows

# The shapes of inputs and kernel, and the options that differ from the defaults.
CASES = {
    "plain": ((2, 4, 3, 3), (3, 2, 5, 3), {}),
    "strides": ((2, 4, 3, 3), (3, 2, 5, 3), {"strides": (2, 3)}),
    "same": ((2, 4, 3, 3), (3, 3, 5, 3), {"strides": (2, 2), "padding": "same"}),
    "output padding": (
        (2, 4, 3), (2, 5, 3), {"strides": (4,), "padding": "same", "output_padding": (3,)}
    ),
    "dilation": ((2, 3, 6), (3, 4, 3), {"dilation": (2,), "data_format": "channels_first"}),
}  # fmt: skip


def make_case(case):
    """Return random inputs, a random kernel and the options of a case."""
    shape, kernel_shape, changes = CASES[case]
    rank = len(shape) - 2
    options = {"strides": (1,) * rank, "padding": "valid", "dilation": (1,) * rank}
    options |= {"output_padding": None, "data_format": "channels_last"} | changes
    random = np.random.default_rng(0)
    inputs = jnp.asarray(random.normal(size=shape), "float32")
    return inputs, jnp.asarray(random.normal(size=kernel_shape), "float32"), options


def outputs_and_derivatives(convolve, inputs, kernel):
    """Return the outputs, the gradients, and their derivative in one direction."""

    def loss(inputs, kernel):
        return jnp.sum(jnp.sin(convolve(inputs, kernel)))

    directions = jnp.cos(inputs), jnp.cos(kernel)
    gradients = jax.jvp(jax.grad(loss, argnums=(0, 1)), (inputs, kernel), directions)
    return convolve(inputs, kernel), gradients


@pytest.mark.parametrize("case", CASES)
def test_both_lowerings_agree_in_values_gradients_and_second_derivatives(case):
    inputs, kernel, options = make_case(case)

    def by_copies(inputs, kernel):
        return lowering.transposed_convolution(inputs, kernel, **options)

    output_padding = options["output_padding"] or [None] * len(options["strides"])
    ranges = tuple(
        output_range((size - 1) * d + 1, stride, options["padding"], extra)
        for size, d, stride, extra in zip(
            kernel.shape[:-2], options["dilation"], options["strides"], output_padding, strict=True
        )
    )

    def by_xla(inputs, kernel):
        windows = Windows(options["strides"], options["dilation"], ranges, options["data_format"])
        return transpose_by_xla(inputs, kernel, windows)

    @jax.jit
    def both(inputs, kernel):
        return [outputs_and_derivatives(f, inputs, kernel) for f in (by_copies, by_xla)]

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), *both(inputs, kernel)
    )


def test_it_is_the_gradient_of_a_convolution_by_its_inputs():
    inputs, kernel, options = make_case("same")
    shared = {name: options[name] for name in ("strides", "padding", "dilation")}
    images = jnp.zeros((2, 8, 6, 5))
    # A convolution with stride 2 halves the images, so its gradient doubles them.
    _, vjp = jax.vjp(lambda images: lowering.convolution(images, kernel, **shared), images)
    outputs = lowering.transposed_convolution(inputs, kernel, **options)
    np.testing.assert_allclose(outputs, vjp(inputs)[0], rtol=1e-5, atol=1e-5)


def test_the_platform_is_chosen_at_lowering():
    inputs, kernel, options = make_case("strides")
    traced = jax.jit(lambda a, b: lowering.transposed_convolution(a, b, **options)).trace(
        inputs, kernel
    )
    assert "stablehlo.convolution" not in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert "stablehlo.convolution" in traced.lower(lowering_platforms=("cuda",)).as_text()
