"""What TensorBoard reads, written through the `tensorboard` package alone."""

import struct
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fjax.core import InputLayer
from fjax.core.flow import join_sources
from fjax.core.naming import kind

HISTOGRAM_BINS = 30


class Node(NamedTuple):
    """A layer in the graph of a model.

    Attributes:
        name: Its name.
        kind: What it is.
        sources: The names of the nodes that it is called on.
        shapes: The shapes of what it makes, None for axes of any size.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    shapes: tuple[tuple[int | None, ...], ...]


class EventWriter:
    """Writes one run's events into a folder; TensorBoard shows each folder as a run.

    Args:
        folder: Where to write; it is made if need be.

    Raises:
        ImportError: The `tensorboard` package is missing.
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        # The ending tells readers that values are tensors, as TensorFlow 2 writes them.
        self._writer = EventFileWriter(str(folder), filename_suffix=".v2")

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write one number."""
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        self._write(step, summary=scalar_pb(tag, float(value)))

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Write how finite values are spread."""
        from tensorboard.plugins.histogram import metadata
        from tensorboard.util import tensor_util

        # The package's own function takes thirty times the memory of the values.
        counts, edges = np.histogram(values, HISTOGRAM_BINS)
        rows = np.stack([edges[:-1], edges[1:], counts], axis=1).astype(np.float64)
        described = metadata.create_summary_metadata(display_name=None, description=None)
        self._summary(tag, described, tensor_util.make_tensor_proto(rows), step)

    def images(self, tag: str, pictures: np.ndarray, step: int) -> None:
        """Write pictures of shape (number, height, width, 1 or 3), from 0 to 255."""
        from tensorboard.plugins.image import metadata
        from tensorboard.util import tensor_util

        _, height, width, _ = pictures.shape
        encoded = [str(width).encode(), str(height).encode(), *map(png, pictures)]
        described = metadata.create_summary_metadata(display_name=None, description=None)
        tensor = tensor_util.make_tensor_proto(np.array(encoded, object))
        self._summary(tag, described, tensor, step)

    def graph(self, nodes: Iterable[Node]) -> None:
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
            listed = attr_value_pb2.AttrValue.ListValue(shape=shapes)
            definition.node.append(
                node_def_pb2.NodeDef(
                    name=node.name,
                    op=node.kind,
                    input=list(node.sources),
                    attr={"_output_shapes": attr_value_pb2.AttrValue(list=listed)},
                )
            )
        self._write(0, graph_def=definition.SerializeToString())

    def flush(self) -> None:
        """Put into the file what waits to be written: a run that is killed later keeps it."""
        self._writer.flush()

    def close(self) -> None:
        """Flush, and close the file."""
        self._writer.close()

    def _summary(self, tag: str, metadata: Any, tensor: Any, step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        value = Summary.Value(tag=tag, metadata=metadata, tensor=tensor)
        self._write(step, summary=Summary(value=[value]))

    def _write(self, step: int, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, **content))


def png(picture: np.ndarray) -> bytes:
    r"""Return a picture of shape (height, width, 1 or 3), from 0 to 255, as a PNG file.

    Source: "Portable Network Graphics (PNG) Specification", W3C.

    >>> png(np.zeros((2, 3, 1)))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    height, width, colors = picture.shape
    kind = {1: 0, 3: 2}[colors]
    rows = picture.astype(np.uint8).reshape(height, -1)
    # Each row begins with the number of its filter: none.
    raw = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def as_pictures(weight: np.ndarray) -> np.ndarray | None:
    """Return a weight as grey pictures of shape (number, height, width, 1), None if it has no form.

    A vector is a row; a matrix lies on its longer side; a kernel of three axes is a picture for
    each entry of the last. The smallest value is black, the largest white.

    >>> as_pictures(np.eye(3)[:, :2]).shape, as_pictures(np.ones((3, 3, 1, 8))).shape
    ((1, 2, 3, 1), (8, 3, 3, 1))
    >>> as_pictures(np.ones((3, 3, 2, 8))) is None
    True
    """
    form = weight.squeeze()
    if form.ndim not in (1, 2, 3) or not form.size:
        return None
    if form.ndim == 1:
        form = form[None, None]
    elif form.ndim == 2:
        form = (form.T if form.shape[0] > form.shape[1] else form)[None]
    else:
        form = form.transpose(2, 0, 1)
    finite = np.nan_to_num(form.astype(np.float64), posinf=np.nan, neginf=np.nan)
    low, high = finite.min(), finite.max()
    return (255 * (finite - low) / max(high - low, 1e-12))[..., None]


def nodes_of(calls: Any) -> Sequence[Node]:
    """Return the nodes of a model's graph from `model.layer_calls()`."""
    # Inputs that no layer declares.
    taken = {each.name for each in calls.layers}
    inputs = {
        number: _free(f"input_{number}" if number else "input", taken)
        for number in range(len(calls.inputs))
    }
    used = set()
    nodes = []
    for each in calls.layers:
        declares = isinstance(each.layer, InputLayer)
        sources = []
        for source in join_sources(each.sources):
            if source.layer is not None:
                sources.append(source.layer)
            elif not declares:
                used.add(source.number)
                sources.append(inputs[source.number])
        shapes = tuple(value.shape for value in each.outputs)
        nodes.append(Node(each.name, kind(each.layer), tuple(dict.fromkeys(sources)), shapes))
    first = [
        Node(inputs[number], "Input", (), (calls.inputs[number].shape,)) for number in sorted(used)
    ]
    return first + nodes


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
