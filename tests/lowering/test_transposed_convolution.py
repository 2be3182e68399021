"""Transposed convolutions beside XLA's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import lowering
from fjax.lowering.transposed_convolution import _by_library, output_range

CASES = {
    "plain": ((2, 4, 3, 3), (3, 2, 5, 3), {}),
    "strides": ((2, 4, 3, 3), (3, 2, 5, 3), {"strides": (2, 3)}),
    "same": ((2, 4, 3, 3), (3, 3, 5, 3), {"strides": (2, 2), "padding": "same"}),
    "more": ((2, 4, 3), (2, 5, 3), {"strides": (4,), "padding": "same", "output_padding": (3,)}),
    "dilation": ((2, 3, 6), (3, 4, 3), {"dilation": (2,), "data_format": "channels_first"}),
}


def drawn(case):
    shape, kernel_shape, given = CASES[case]
    rank = len(shape) - 2
    options = {"strides": (1,) * rank, "padding": "valid", "dilation": (1,) * rank}
    options |= {"output_padding": None, "data_format": "channels_last"} | given
    random = np.random.default_rng(0)
    inputs = jnp.asarray(random.normal(size=shape), "float32")
    return inputs, jnp.asarray(random.normal(size=kernel_shape), "float32"), options


def everything(convolve, inputs, kernel):
    """The outputs, the gradients, and how those change along a direction."""

    def loss(inputs, kernel):
        return jnp.sum(jnp.sin(convolve(inputs, kernel)))

    directions = jnp.cos(inputs), jnp.cos(kernel)
    gradients = jax.jvp(jax.grad(loss, argnums=(0, 1)), (inputs, kernel), directions)
    return convolve(inputs, kernel), gradients


@pytest.mark.parametrize("case", CASES)
def test_both_lowerings_agree_in_values_gradients_and_second_derivatives(case):
    inputs, kernel, options = drawn(case)

    def ours(inputs, kernel):
        return lowering.transposed_convolution(inputs, kernel, **options)

    given = {key: options[key] for key in ("strides", "dilation", "data_format")}
    extra = options["output_padding"] or [None] * len(options["strides"])
    ranges = [
        output_range((size - 1) * d + 1, stride, options["padding"], more)
        for size, d, stride, more in zip(
            kernel.shape[:-2], options["dilation"], options["strides"], extra, strict=True
        )
    ]

    def theirs(inputs, kernel):
        return _by_library(inputs, kernel, ranges=ranges, **given)

    @jax.jit
    def both(inputs, kernel):
        return everything(ours, inputs, kernel), everything(theirs, inputs, kernel)

    one, other = both(inputs, kernel)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), one, other)


def test_it_is_the_gradient_of_a_convolution_by_its_inputs():
    inputs, kernel, options = drawn("same")
    plain = {key: options[key] for key in ("strides", "padding", "dilation")}
    images = jnp.zeros((2, 8, 6, 5))
    # A convolution that halves the images; its gradient doubles them again.
    _, pull = jax.vjp(lambda images: lowering.convolution(images, kernel, **plain), images)
    result = lowering.transposed_convolution(inputs, kernel, **options)
    np.testing.assert_allclose(result, pull(inputs)[0], rtol=1e-5, atol=1e-5)


def test_the_platform_decides_when_the_program_is_lowered():
    inputs, kernel, options = drawn("strides")
    traced = jax.jit(lambda a, b: lowering.transposed_convolution(a, b, **options)).trace(
        inputs, kernel
    )
    assert "stablehlo.convolution" not in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert "stablehlo.convolution" in traced.lower(lowering_platforms=("cuda",)).as_text()
