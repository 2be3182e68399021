"""Bounding boxes compared with Keras."""

import keras
import numpy as np
import pytest

from fjax.utils import bounding_boxes as ours

theirs = keras.utils.bounding_boxes
FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh",
    "rel_center_xywh",
)  # fmt: skip


def boxes(*shape, seed=0, scale=30.0):
    corners = np.random.default_rng(seed).uniform(0, scale, (*shape, 2, 2))
    return np.sort(corners, axis=-2).reshape(*shape, 4).astype("float32")


@pytest.mark.sampled(9)
@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_formats_are_converted_as_in_keras(source, target):
    given = boxes(3, 2, scale=1.0 if source.startswith("rel") else 30.0)
    expected = theirs.convert_format(given, source, target, height=30, width=40)
    converted = ours.convert_format(given, source.upper(), target, height=30, width=40)
    np.testing.assert_allclose(converted, expected, rtol=1e-6, atol=1e-6)


def test_a_dict_is_converted_into_a_new_one():
    given = {"boxes": boxes(2), "labels": np.arange(2)}
    converted = ours.convert_format(given, "xyxy", "xywh")
    expected = theirs.convert_format(boxes(2), "xyxy", "xywh")
    np.testing.assert_allclose(converted["boxes"], expected, rtol=1e-6)
    np.testing.assert_array_equal(given["boxes"], boxes(2))
    assert converted["labels"] is given["labels"]


@pytest.mark.parametrize("name", ["xyxy", "rel_xyxy"])
def test_boxes_are_clipped_as_in_keras(name):
    scale = 1.0 if name.startswith("rel") else 10.0
    numbers = np.array([[-2, 1, 3, 4], [2, 2, 30, 30], [12, 1, 15, 3], [3, 3, 3, 4]], "float32")
    given = {"boxes": numbers / 10 * scale, "labels": np.array([1, 2, 3, 4])}
    arguments = {"height": 8, "width": 10, "bounding_box_format": name}
    expected, clipped = (m.clip_to_image_size(dict(given), **arguments) for m in (theirs, ours))
    for key in ("boxes", "labels"):
        np.testing.assert_allclose(clipped[key], expected[key])


def test_boxes_move_as_in_keras():
    given, rng = boxes(3, 2), np.random.default_rng(1)
    numbers = [rng.uniform(low, high, 3).astype("float32") for low, high in
               ((-90, 90), (-0.2, 0.2), (-0.2, 0.2), (0.7, 1.3), (-20, 20), (-20, 20))]  # fmt: skip
    for center in ({}, {"center_x": 0.3, "center_y": 0.8}):
        expected, moved = (
            m.affine_transform(given, *numbers, height=30, width=40, **center)
            for m in (theirs, ours)
        )
        np.testing.assert_allclose(moved, expected, rtol=2e-5, atol=1e-4)
    for function, arguments in (("crop", (4, 6, 15, 12)), ("pad", (3, 5))):
        expected, moved = (getattr(m, function)(given, *arguments) for m in (theirs, ours))
        np.testing.assert_allclose(moved, expected, rtol=1e-6)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("shapes", [((4,), (3,)), ((2, 4), (3,)), ((4,), (2, 3)), ((2, 4), (2, 3))])
@pytest.mark.parametrize("name", ["xyxy", "center_xywh", "rel_yxyx"])
def test_overlaps_are_those_of_keras(name, shapes):
    scale = 1.0 if name.startswith("rel") else 30.0
    one, two = (boxes(*shape, seed=seed, scale=scale) for seed, shape in enumerate(shapes))
    one[..., 0, :] = -1
    for masking in (False, True):
        arguments = (one, two, name, masking, -1, (30, 40, 3))
        overlaps = ours.compute_iou(*arguments)
        if masking and one.ndim != two.ndim:  # Keras raises an error
            assert float(np.max(overlaps[..., 0, :])) == -1
        else:
            expected = theirs.compute_iou(*arguments)
            np.testing.assert_allclose(overlaps, expected, rtol=1e-5, atol=1e-6)


def test_complete_overlaps_are_those_of_keras():
    one, two = boxes(2, 5), boxes(2, 5, seed=1)
    expected, overlaps = (m.compute_ciou(one, two, "xyxy") for m in (theirs, ours))
    np.testing.assert_allclose(overlaps, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.1, 0.2, 0.2]])
def test_deltas_are_those_of_keras(encoding, variance):
    anchors, given = boxes(5), boxes(2, 5, seed=1) / 30
    arguments = ("xyxy", "rel_xywh", encoding, variance, (30, 40, 3))
    expected, deltas = (m.encode_box_to_deltas(anchors, given, *arguments) for m in (theirs, ours))
    np.testing.assert_allclose(deltas, expected, rtol=1e-5, atol=1e-5)
    expected, decoded = (
        m.decode_deltas_to_boxes(
            anchors, deltas, "xyxy", "rel_xywh", encoding,
            None if variance is None else np.asarray(variance, "float32"), (30, 40, 3),
        )
        for m in (theirs, ours)
    )  # fmt: skip
    np.testing.assert_allclose(decoded, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(decoded, given, rtol=1e-4, atol=1e-4)
    levels = ours.decode_deltas_to_boxes({"p3": anchors}, {"p3": deltas}, *arguments)
    np.testing.assert_array_equal(levels["p3"], decoded)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"`source` must be one of .* Did you mean `xywh`"):
        ours.convert_format(boxes(2), "xyhw", "xyxy")
    with pytest.raises(ValueError, match="the size of the image is needed"):
        ours.convert_format(boxes(2), "xyxy", "rel_xyxy", height=3)
    with pytest.raises(ValueError, match=r"boxes have shape \(…, 4\), .* received \(2, 3\)"):
        ours.convert_format(np.zeros((2, 3)), "xyxy", "xywh")
    with pytest.raises(ValueError, match="`variance` must be four numbers"):
        ours.encode_box_to_deltas(boxes(2), boxes(2), "xyxy", "xyxy", variance=[0.1])
    with pytest.raises(ValueError, match="must not be relative"):
        ours.compute_ciou(boxes(2), boxes(2), "rel_xyxy")
