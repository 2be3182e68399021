"""Keras's `utils.bounding_boxes`: formats, geometry and overlap of bounding boxes."""

from fjax.lowering.box_deltas import decode_deltas_to_boxes as decode_deltas_to_boxes
from fjax.lowering.box_deltas import encode_box_to_deltas as encode_box_to_deltas
from fjax.lowering.box_formats import clip_to_image_size as clip_to_image_size
from fjax.lowering.box_formats import convert_format as convert_format
from fjax.lowering.box_geometry import affine_transform as affine_transform
from fjax.lowering.box_geometry import crop as crop
from fjax.lowering.box_geometry import pad as pad
from fjax.lowering.box_overlap import compute_ciou as compute_ciou
from fjax.lowering.box_overlap import compute_iou as compute_iou
