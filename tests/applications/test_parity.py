"""The networks of `fjax.applications`, compared with Keras's for drawn weights."""

import keras
import numpy as np
import pytest

import fjax

CASES = {
    "vgg16": ("VGG16", {"include_top": False, "input_shape": (32, 32, 3), "pooling": "max"}),
    "mobilenet_narrow": (
        "MobileNetV2",
        {"alpha": 0.35, "input_shape": (32, 35, 1), "classes": 7, "classifier_activation": None},
    ),
    "vgg16_top": ("VGG16", {"input_shape": (32, 32, 3), "classes": 10}),
    "mobilenet": ("MobileNetV2", {"input_shape": (64, 64, 3), "include_top": False}),
    "mobilenet_wide": (
        "MobileNetV2",
        {"alpha": 1.3, "input_shape": (None, None, 3), "include_top": False, "pooling": "avg"},
    ),
    "resnet": ("ResNet50", {"input_shape": (40, 32, 3), "classes": 5}),
    "resnet_features": ("ResNet50", {"include_top": False, "pooling": "avg", "name": "base"}),
    "efficientnet": ("EfficientNetB0", {"input_shape": (39, 32, 3), "classes": 4}),
    "efficientnet_features": (
        "EfficientNetB0",
        {"include_top": False, "pooling": "max", "input_shape": (None, 32, 1)},
    ),
    "xception": ("Xception", {"input_shape": (71, 75, 3), "classes": 6}),
    "xception_features": ("Xception", {"include_top": False, "input_shape": (71, 71, 3)}),
}
DEFAULT = ("vgg16", "mobilenet_narrow")


def drawn(weight, random):
    """Draw a weight so that the values stay of the order of 1 through many layers."""
    shape, name = weight.shape, weight.name
    if name in ("moving_variance", "variance", "gamma"):
        return random.uniform(0.5, 1.5, shape)
    if name == "count":
        return np.zeros(shape)
    if "kernel" in name:
        inputs = shape[0] * shape[1] if name == "depthwise_kernel" else np.prod(shape[:-1])
        return random.normal(size=shape) * np.sqrt(1.5 / inputs)
    return random.normal(size=shape) * 0.1


def described(model):
    """Describe the layers and weights of a model; the path of a weight begins with its layer."""
    return (
        model.name,
        [(each.name, type(each).__name__, len(each.weights)) for each in model.layers],
        [("/".join(w.path.split("/")[-2:]), tuple(w.shape), w.dtype) for w in model.weights],
        model.count_params(),
        model.input_shape,
        model.output_shape,
    )


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=() if c in DEFAULT else pytest.mark.thorough) for c in CASES],
)
def test_a_network_is_that_of_keras(case):
    keras.utils.clear_session()
    function, arguments = CASES[case]
    ours = getattr(fjax.applications, function)(weights=None, **arguments)
    theirs = getattr(keras.applications, function)(weights=None, **arguments)
    assert described(ours) == described(theirs)
    for layer, expected in zip(ours.layers, theirs.layers, strict=True):
        assert layer.output.shape == expected.output.shape, layer.name
    random = np.random.default_rng(3)
    weights = [drawn(weight, random).astype("float32") for weight in theirs.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    shape = [size or 33 for size in theirs.input_shape[1:]]
    x = random.uniform(0, 255, (2, *shape)).astype("float32")
    x = x if function == "EfficientNetB0" else x / 127.5 - 1
    expected = theirs.predict(x, verbose=0)
    outputs = ours.predict(x, verbose=0)
    scale = np.abs(expected).max()
    assert scale > 0.1 and expected.std() > 1e-3 * scale
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5 * scale)
