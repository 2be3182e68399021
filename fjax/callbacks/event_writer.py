"""Write TensorBoard's event files with the `tensorboard` package, without TensorFlow."""

import struct
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fjax.core import InputLayer
from fjax.core.flow import merge_origins
from fjax.core.layer_walk import NetworkRecord
from fjax.core.naming import kind

HISTOGRAM_BINS = 30


class GraphNode(NamedTuple):
    """A layer in the graph of a model.

    Attributes:
        name: The name of the layer.
        kind: Its class, such as "Dense".
        sources: The names of the nodes on whose outputs it is called.
        shapes: The shapes of its outputs, None for axes of any size.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    shapes: tuple[tuple[int | None, ...], ...]


class EventWriter:
    """Write the events of one run into a folder; TensorBoard shows each folder as a run.

    Args:
        folder: The folder; it is created if it does not exist.

    Raises:
        ImportError: The `tensorboard` package is missing.
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        # The suffix says that values are tensors, as TensorFlow 2 writes them.
        self._writer = EventFileWriter(str(folder), filename_suffix=".v2")

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write one number."""
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        self._write(step, summary=scalar_pb(tag, float(value)))

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Write a histogram of finite values."""
        from tensorboard.plugins.histogram import metadata

        # The package's own function needs thirty times the memory of the values.
        counts, edges = np.histogram(values, HISTOGRAM_BINS)
        rows = np.stack([edges[:-1], edges[1:], counts], axis=1).astype(np.float64)
        self._tensor(tag, metadata, rows, step)

    def images(self, tag: str, images: np.ndarray, step: int) -> None:
        """Write images of shape (number, height, width, 1 or 3), with values from 0 to 255."""
        from tensorboard.plugins.image import metadata

        _, height, width, _ = images.shape
        strings = [str(width).encode(), str(height).encode(), *map(encode_png, images)]
        self._tensor(tag, metadata, np.array(strings, object), step)

    def graph(self, nodes: Iterable[GraphNode]) -> None:
        """Write the graph of a model."""
        from tensorboard.compat.proto import attr_value_pb2, graph_pb2, node_def_pb2
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

        definition = graph_pb2.GraphDef()
        definition.versions.producer = 22
        for node in nodes:
            shapes = [
                TensorShapeProto(
                    dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in shape]
                )
                for shape in node.shapes
            ]
            shape_list = attr_value_pb2.AttrValue.ListValue(shape=shapes)
            definition.node.append(
                node_def_pb2.NodeDef(
                    name=node.name,
                    op=node.kind,
                    input=list(node.sources),
                    attr={"_output_shapes": attr_value_pb2.AttrValue(list=shape_list)},
                )
            )
        self._write(0, graph_def=definition.SerializeToString())

    def flush(self) -> None:
        """Write pending events into the file, so that they survive if the process is killed."""
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()

    def _tensor(self, tag: str, plugin: Any, values: np.ndarray, step: int) -> None:
        """Write values for a plugin of TensorBoard, which is given by its module `metadata`."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.util.tensor_util import make_tensor_proto

        metadata = plugin.create_summary_metadata(display_name=None, description=None)
        value = Summary.Value(tag=tag, metadata=metadata, tensor=make_tensor_proto(values))
        self._write(step, summary=Summary(value=[value]))

    def _write(self, step: int, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, **content))


def encode_png(image: np.ndarray) -> bytes:
    r"""Return an image of shape (height, width, 1 or 3), with values from 0 to 255, as a PNG file.

    Source: "Portable Network Graphics (PNG) Specification", W3C.

    >>> encode_png(np.zeros((2, 3, 1)))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    height, width, channels = image.shape
    color_type = {1: 0, 3: 2}[channels]
    rows = image.astype(np.uint8).reshape(height, -1)
    # Each row begins with the number of its filter; 0 is no filter.
    raw = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def weight_images(weight: np.ndarray) -> np.ndarray | None:
    """Return a weight as grey images of shape (number, height, width, 1), or None.

    A vector becomes a row, a matrix an image with its longer axis across, a kernel of three axes
    one image per entry of the last axis; other weights cannot be drawn. The smallest value is
    black, the largest white.

    >>> weight_images(np.eye(3)[:, :2]).shape, weight_images(np.ones((3, 3, 1, 8))).shape
    ((1, 2, 3, 1), (8, 3, 3, 1))
    >>> weight_images(np.ones((3, 3, 2, 8))) is None
    True
    """
    images = weight.squeeze()
    if images.ndim not in (1, 2, 3) or not images.size:
        return None
    if images.ndim == 1:
        images = images[None, None]
    elif images.ndim == 2:
        images = (images.T if images.shape[0] > images.shape[1] else images)[None]
    else:
        images = images.transpose(2, 0, 1)
    finite = np.nan_to_num(images.astype(np.float64), posinf=np.nan, neginf=np.nan)
    low, high = finite.min(), finite.max()
    return (255 * (finite - low) / max(high - low, 1e-12))[..., None]


def graph_nodes(network: NetworkRecord) -> list[GraphNode]:
    """Return the nodes of a model's graph from `model.layer_calls()`."""
    layer_names = {record.name for record in network.layers}
    inputs = {
        position: _unused_name(f"input_{position}" if position else "input", layer_names)
        for position in network.undeclared_inputs
    }
    nodes = [
        GraphNode(name, "Input", (), (network.inputs[position].shape,))
        for position, name in inputs.items()
    ]
    for record in network.layers:
        is_declared = isinstance(record.layer, InputLayer)
        sources = dict.fromkeys(
            origin.layer or inputs[origin.position]
            for origin in merge_origins(record.origins)
            if origin.layer or not is_declared
        )
        shapes = tuple(array.shape for array in record.outputs)
        nodes.append(GraphNode(record.name, kind(record.layer), tuple(sources), shapes))
    return nodes


def _unused_name(name: str, used: set[str]) -> str:
    while name in used:
        name += "_"
    return name
