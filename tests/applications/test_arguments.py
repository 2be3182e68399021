"""The arguments of the networks, the scaling of images, and the names of classes."""

import json

import keras
import numpy as np
import pytest

import fjax
from fjax.applications import VGG16, MobileNetV2, imagenet_utils
from fjax.applications.image_classifier import halving_pad

SMALL = {"weights": None, "include_top": False}


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_images_are_scaled_as_in_keras(mode, data_format, dtype):
    shape = (2, 4, 5, 3) if data_format == "channels_last" else (2, 3, 4, 5)
    images = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    for x in (images, images[0]):
        before = x.copy()
        scaled = imagenet_utils.preprocess_input(x, data_format, mode)
        np.testing.assert_array_equal(x, before)
        expected = keras.applications.imagenet_utils.preprocess_input(x.copy(), data_format, mode)
        assert scaled.dtype == expected.dtype
        np.testing.assert_array_equal(scaled, expected)


@pytest.mark.parametrize(
    "name", ["vgg16", "resnet", "resnet50", "mobilenet_v2", "efficientnet", "xception"]
)
def test_symbolic_images_are_scaled_like_arrays(name):
    module = getattr(fjax.applications, name)
    inputs = fjax.Input((4, 5, 3))
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3)).astype("float32")
    scaled = module.preprocess_input(x)
    expected = getattr(keras.applications, name).preprocess_input(x.copy())
    np.testing.assert_array_equal(scaled, expected)
    if name != "efficientnet":
        model = fjax.Model(inputs, module.preprocess_input(inputs))
        np.testing.assert_allclose(model.predict(x, verbose=0), scaled, rtol=1e-5, atol=1e-5)


def test_images_that_cannot_be_scaled():
    with pytest.raises(ValueError, match="three channels on axis -1"):
        imagenet_utils.preprocess_input(np.ones((2, 4, 4, 1)))
    with pytest.raises(ValueError, match="`mode`"):
        imagenet_utils.preprocess_input(np.ones((2, 4, 4, 3)), mode="pytorch")
    with pytest.raises(ValueError, match="`data_format`"):
        imagenet_utils.preprocess_input(np.ones((2, 4, 4, 3)), data_format="last")


def test_the_best_classes_are_named(tmp_path, monkeypatch):
    names = {str(number): [f"n{number:08d}", f"thing {number}"] for number in range(1000)}
    (tmp_path / "imagenet_class_index.json").write_text(json.dumps(names))
    monkeypatch.setenv("FJAX_DATA", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", names)
    preds = np.random.default_rng(0).random((3, 1000)).astype("float32")
    expected = keras.applications.imagenet_utils.decode_predictions(preds, top=4)
    assert imagenet_utils.decode_predictions(preds, top=4) == expected
    assert len(imagenet_utils.decode_predictions(preds)[0]) == 5
    with pytest.raises(ValueError, match=r"\(rows, 1000\), received \(3, 10\)"):
        imagenet_utils.decode_predictions(preds[:, :10])


def test_the_file_of_class_names_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("FJAX_DATA", str(tmp_path))
    monkeypatch.setenv("FJAX_CACHE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"`imagenet_class_index\.json` was not found"):
        imagenet_utils.decode_predictions(np.ones((1, 1000)))


@pytest.mark.parametrize("name", ["VGG16", "ResNet50", "MobileNetV2", "EfficientNetB0", "Xception"])
def test_weights_of_imagenet_are_not_shipped(name):
    with pytest.raises(ValueError, match="ships no weights and downloads none") as caught:
        getattr(fjax.applications, name)()
    assert ("variance**2" in str(caught.value)) == (name == "EfficientNetB0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "no_such_file"}, "there is no such file"),
        ({"pooling": "mean"}, "`pooling`"),
        ({"classes": 0}, "`classes`"),
        ({"input_shape": (31, 40, 3)}, "at least 32x32"),
        ({"input_shape": (40, 40)}, "must be .height, width, channels."),
        ({"input_shape": (None, 40, 3), "include_top": True}, "images of one size"),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_arguments_that_are_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        VGG16(**{**SMALL, **arguments})


def test_an_activation_that_the_weights_of_a_file_exclude(tmp_path):
    (tmp_path / "weights").write_bytes(b"")
    with pytest.raises(ValueError, match='`classifier_activation` must be None or "softmax"'):
        VGG16(weights=tmp_path / "weights", classifier_activation="sigmoid")


def test_images_of_unusual_channels_are_reported():
    with pytest.warns(UserWarning, match="1 or 3 channels, received 4"):
        assert VGG16(**SMALL, input_shape=(32, 32, 4)).input_shape == (None, 32, 32, 4)


@pytest.mark.short
def test_a_network_begins_with_a_tensor():
    inputs = fjax.Input((96, 96, 3))
    scaled = fjax.layers.Rescaling(1 / 255)(inputs)
    model = VGG16(**SMALL, input_tensor=scaled)
    assert [layer.name for layer in model.layers][:3] == [
        "input_layer",
        "rescaling",
        "block1_conv1",
    ]
    with pytest.raises(TypeError, match="`input_tensor` must be a symbolic tensor"):
        VGG16(**SMALL, input_tensor=np.ones((1, 96, 96, 3)))
    with pytest.raises(ValueError, match=r"`input_tensor` has images of shape \(96, 96, 3\)"):
        VGG16(**SMALL, input_tensor=scaled, input_shape=(64, 64, 3))


def test_the_weights_of_a_file(tmp_path):
    options = {"include_top": False, "alpha": 0.35, "input_shape": (32, 32, 3)}
    model = MobileNetV2(**options, weights=None)
    model.save_weights(tmp_path / "weights")
    loaded = MobileNetV2(**options, weights=tmp_path / "weights")
    for ours, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("size", [3, 5])
def test_the_padding_of_images(size):
    from keras.src.applications.imagenet_utils import correct_pad

    for shape in ((8, 7, 1), (None, None, 1), (5, 6, 2)):
        assert halving_pad(fjax.Input(shape), size) == correct_pad(keras.Input(shape), size)


def test_names_of_mobilenet_tell_width_and_height():
    assert MobileNetV2(**SMALL, alpha=0.35).name == "mobilenetv2_0.35_None"
    assert MobileNetV2(**SMALL, input_shape=(96, 64, 3)).name == "mobilenetv2_1.00_96"
    tensor = fjax.Input((128, 128, 3))
    # Keras takes the size from the tensor where it is one of those of the published weights.
    assert MobileNetV2(weights=None, input_tensor=tensor).name == "mobilenetv2_1.00_128"
    tensor = fjax.Input((100, 100, 3))
    assert MobileNetV2(weights=None, input_tensor=tensor).name == "mobilenetv2_1.00_224"
