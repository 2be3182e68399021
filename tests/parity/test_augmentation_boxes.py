"""Bounding boxes in the image layers, compared with Keras and with the pixels that move."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax
from fjax.utils.bounding_boxes import convert_format

SHAPE = (3, 12, 12, 1)
IMAGES = np.zeros(SHAPE, "float32")
BOXES = np.array(
    [
        [[1, 2, 6, 9], [0, 0, 12, 12]],
        [[3, 3, 4, 8], [7, 1, 11, 3]],
        [[2, 5, 9, 6], [-1, -1, -1, -1]],
    ],
    "float32",
)
LABELS = np.array([[1, 2], [3, 4], [5, -1]])


def boxes():
    return {"boxes": jnp.asarray(BOXES), "labels": jnp.asarray(LABELS)}


# Keras shears boxes in shares of the image and one axis after the other, which is exact for square
# images and one axis. It has the numbers of RandomRotation and RandomPerspective for "xyxy" only.
CASES = [
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomFlip", {"mode": "vertical"}),
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.2}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": (-0.4, 0.2)}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": (-0.4, 0.4)}),
    ("RandomZoom", {"height_factor": (-0.4, -0.2)}),
    ("RandomShear", {"x_factor": 0.4}),
    ("RandomPerspective", {"factor": 0.8, "scale": 0.3}),
    ("RandomBrightness", {"factor": 0.3}),
    ("AugMix", {}),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "config"), CASES, ids=str)
def test_boxes_are_those_of_keras(name, config):
    theirs = getattr(keras.layers, name)(**config, seed=3, bounding_box_format="xyxy")
    ours = getattr(fjax.layers, name)(**config, bounding_box_format="xyxy")
    drawn = theirs.get_random_transformation(jnp.asarray(IMAGES), training=True)
    expected = theirs.transform_bounding_boxes(boxes(), drawn, training=True)
    moved = ours.transform_bounding_boxes(boxes(), drawn, image_size=SHAPE[1:3])
    np.testing.assert_array_equal(moved["labels"], expected["labels"])
    kept = np.asarray(moved["labels"]) != -1
    np.testing.assert_allclose(
        np.asarray(moved["boxes"])[kept], np.asarray(expected["boxes"])[kept], rtol=1e-4, atol=1e-3
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["xywh", "rel_center_xywh"])
@pytest.mark.parametrize("size", [(5, 7), (9, 16), (16, 9)])
def test_boxes_in_the_center_are_those_of_keras(size, name):
    given = boxes() | {"boxes": convert_format(BOXES, "xyxy", name, 12, 12)}
    theirs, ours = (
        home.layers.CenterCrop(*size, bounding_box_format=name) for home in (keras, fjax)
    )
    expected = theirs.transform_bounding_boxes(dict(given), {"input_shape": SHAPE})
    moved = ours.transform_bounding_boxes(given, image_size=SHAPE[1:3])
    np.testing.assert_array_equal(moved["labels"], expected["labels"])
    np.testing.assert_allclose(moved["boxes"], expected["boxes"], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("config", [{}, {"crop_to_aspect_ratio": True}], ids=str)
def test_boxes_in_resized_images_are_those_of_keras(config):
    padded = np.concatenate([BOXES, np.zeros_like(BOXES[:, :1])], axis=1)
    given = {"boxes": padded, "labels": np.concatenate([LABELS, LABELS[:, :1]], axis=1)}
    theirs, ours = (
        home.layers.Resizing(6, 18, **config, bounding_box_format="xyxy") for home in (keras, fjax)
    )
    expected = theirs({"images": IMAGES, "bounding_boxes": dict(given)})
    outputs = ours({"images": IMAGES, "bounding_boxes": given, "segmentation_masks": IMAGES})
    assert outputs["images"].shape == outputs["segmentation_masks"].shape == (3, 6, 18, 1)
    moved, expected = outputs["bounding_boxes"], expected["bounding_boxes"]
    np.testing.assert_allclose(moved["boxes"], expected["boxes"], atol=1e-5)
    # Keras labels padding by where it would be in the resized image.
    kept = np.asarray(moved["labels"]) != -1
    np.testing.assert_array_equal(kept, np.any(np.asarray(moved["boxes"]) != 0, axis=-1) & (
        np.asarray(expected["labels"]) != -1))  # fmt: skip


def test_the_number_of_boxes_is_that_of_keras():
    for number, fill in ((1, -1), (2, -1), (5, 0)):
        theirs, ours = (
            home.layers.MaxNumBoundingBoxes(number, fill, bounding_box_format="xyxy")
            for home in (keras, fjax)
        )
        expected = theirs({"images": IMAGES, "bounding_boxes": boxes()})["bounding_boxes"]
        outputs = ours({"images": IMAGES.astype("uint8"), "bounding_boxes": boxes()})
        assert outputs["images"].dtype == "uint8"
        for key in ("boxes", "labels"):
            np.testing.assert_array_equal(outputs["bounding_boxes"][key], expected[key])


# A bright rectangle, and the box around it.
TOP, LEFT, BOTTOM, RIGHT = 12, 20, 30, 34
MOVING = [
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.1}),
    ("RandomTranslation", {"height_factor": 0.1, "width_factor": 0.2}),
    ("RandomZoom", {"height_factor": 0.2, "width_factor": 0.3}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}),
    ("RandomPerspective", {"scale": 0.2}),
    ("RandomCrop", {"height": 36, "width": 40}),
    ("RandomCrop", {"height": 30, "width": 90}),
    ("CenterCrop", {"height": 36, "width": 44}),
    ("CenterCrop", {"height": 60, "width": 44}),
    ("Resizing", {"height": 30, "width": 32}),
    ("Resizing", {"height": 30, "width": 32, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 30, "width": 32, "pad_to_aspect_ratio": True}),
    ("RandAugment", {"factor": 0.2, "num_ops": 3}),
]


@pytest.mark.sampled(8)
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "config"), MOVING, ids=str)
def test_boxes_are_where_the_pixels_are(name, config, layout):
    """The judge is the image: the box is around the pixels that are bright after the layer."""
    image = np.zeros((48, 64, 3), "float32")
    image[TOP:BOTTOM, LEFT:RIGHT] = 255.0
    images = np.repeat(image[None], 4, axis=0)
    box = convert_format([[LEFT, TOP, RIGHT, BOTTOM]], "xyxy", "rel_yxyx", 48, 64)
    given = {"boxes": np.repeat(box[None], 4, axis=0), "labels": np.full((4, 1), 7)}
    is_first = layout == "channels_first"
    data = {"images": np.moveaxis(images, -1, 1) if is_first else images, "bounding_boxes": given}
    data["segmentation_masks"] = data["images"][:, :1] if is_first else data["images"][..., :1]
    layer = getattr(fjax.layers, name)(
        **config, **({"fill_mode": "constant"} if name in (
            "RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear") else {}),
        data_format=layout, bounding_box_format="rel_yxyx",
    )  # fmt: skip
    outputs = layer(data, training=True)
    masks = np.asarray(outputs["segmentation_masks"])
    masks = masks[:, 0] if is_first else masks[..., 0]
    moved = convert_format(outputs["bounding_boxes"]["boxes"], "rel_yxyx", "xyxy", *masks.shape[1:])
    for mask, found in zip(masks, np.asarray(moved)[:, 0], strict=True):
        rows, columns = np.nonzero(mask > 127)
        if name == "RandAugment":  # it reflects the border, and so the rectangle
            inside = (columns >= found[0] - 2) & (columns <= found[2] + 2)
            assert inside.mean() > 0.5
            continue
        around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(found, around, atol=1.6)
    assert outputs["bounding_boxes"]["labels"].tolist() == [[7]] * 4


def test_mixed_images_have_the_boxes_of_both():
    layer = fjax.layers.MixUp(bounding_box_format="xyxy")
    drawn = {"mix_weight": jnp.ones(3), "permutation_order": jnp.array([2, 0, 1])}
    mixed = layer.transform_bounding_boxes(boxes(), drawn)
    theirs = keras.layers.MixUp(bounding_box_format="xyxy")
    expected = theirs.transform_bounding_boxes(boxes(), drawn)["boxes"]
    np.testing.assert_array_equal(mixed["boxes"], expected)
    assert mixed["labels"].tolist() == [[1, 2, 5, -1], [3, 4, 1, 2], [5, -1, 3, 4]]


def test_one_image_is_a_batch_of_one_and_inference_keeps_boxes():
    layer = fjax.layers.RandomFlip(bounding_box_format="xyxy")
    one = {"images": IMAGES[0], "bounding_boxes": {"boxes": BOXES[0], "labels": LABELS[0]}}
    drawn = {"flips": jnp.ones((1, 1, 1, 1), bool)}
    moved = layer.transform_bounding_boxes(one["bounding_boxes"], drawn, image_size=(12, 12))
    assert moved["boxes"].tolist() == [[6, 3, 11, 10], [0, 0, 12, 12]]
    kept = layer(one, training=False)["bounding_boxes"]
    np.testing.assert_array_equal(kept["boxes"], BOXES[0])


def test_the_format_is_in_the_configuration():
    layer = fjax.layers.RandomFlip(bounding_box_format="REL_XYXY")
    assert layer.get_config()["bounding_box_format"] == "rel_xyxy"
    assert fjax.layers.RandomFlip.from_config(layer.get_config()) == layer


def test_mistakes_are_named():
    layers, data = fjax.layers, {"images": IMAGES, "bounding_boxes": boxes()}
    with pytest.raises(ValueError, match="needs their format: pass one"):
        layers.RandomFlip()(data, training=True)
    with pytest.raises(ValueError, match="`bounding_box_format` must be one of"):
        layers.RandomFlip(bounding_box_format="corners")
    for name in ("CutMix", "RandomElasticTransform"):
        with pytest.raises(ValueError, match="does not transform bounding boxes, as in Keras"):
            getattr(layers, name)(bounding_box_format="xyxy")(data, training=True)
        with pytest.raises(NotImplementedError):
            layer = getattr(keras.layers, name)(bounding_box_format="xyxy")
            layer({"images": IMAGES, "bounding_boxes": boxes()}, training=True)
    flip = layers.RandomFlip(bounding_box_format="xyxy")
    with pytest.raises(ValueError, match="dict with 'boxes' and 'labels', received a dict with"):
        flip({"images": IMAGES, "bounding_boxes": {"boxes": BOXES}}, training=True)
    with pytest.raises(ValueError, match="different numbers of boxes: pad the lists"):
        ragged = {"boxes": [[[1, 2, 3, 4]], []], "labels": [[1], []]}
        flip({"images": IMAGES[:2], "bounding_boxes": ragged}, training=True)
    with pytest.raises(ValueError, match=r"received \(3, 2, 4\) and \(3,\)"):
        short = {"boxes": BOXES, "labels": LABELS[:, 0]}
        flip({"images": IMAGES, "bounding_boxes": short}, training=True)
    with pytest.raises(ValueError, match="needs the `image_size`"):
        flip.transform_bounding_boxes(boxes(), {})
