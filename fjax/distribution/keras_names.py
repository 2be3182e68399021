"""Keras's distributions: thin names of placements."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from fjax.distribution.current import distribution, set_distribution
from fjax.distribution.devices import find_devices
from fjax.distribution.layouts import Rules
from fjax.distribution.mesh import DeviceMesh, TensorLayout
from fjax.distribution.placements import place_by_rules
from fjax.training.placement import Placement
from fjax.training.shardings import Weight

# The name of the mesh axis of a `DataParallel` without a mesh.
BATCH = "batch"


class LayoutMap(MutableMapping[str, Any]):
    """The layouts of weights by their paths; a key is a regular expression for whole paths.

    Args:
        device_mesh: The mesh of the layouts.

    Source: Keras's page "LayoutMap".

    >>> layout_map = LayoutMap(DeviceMesh((1, 1), ["data", "model"], ["cpu:0"]))
    >>> layout_map[".*dense.*kernel"] = (None, "model")
    >>> layout_map["dense_1/kernel"].axes
    (None, 'model')
    """

    def __init__(self, device_mesh: DeviceMesh) -> None:
        self.device_mesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}

    def __getitem__(self, key: str) -> TensorLayout | None:
        """Return the layout of a path, or None.

        Raises:
            ValueError: Several keys match the path.
        """
        pairs = tuple((pattern, layout.spec) for pattern, layout in self._layouts.items())
        rules = Rules(pairs, is_strict=False)
        matching = rules.matches(key)
        if len(matching) > 1:
            raise ValueError(
                f"`LayoutMap`: the path {key!r} matches several keys: "
                f"{', '.join(map(repr, matching))}."
            )
        return self._layouts[matching[0]] if matching else None

    def __setitem__(self, key: str, layout: TensorLayout | tuple[str | None, ...]) -> None:
        if key in self._layouts:
            raise ValueError(f"`LayoutMap`: the key {key!r} has a layout; delete it first.")
        if isinstance(layout, tuple):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ValueError(
                f"`LayoutMap[{key!r}]`: must be a `TensorLayout` or a tuple, received {layout!r}."
            )
        if layout.device_mesh is None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    @property
    def layouts(self) -> dict[str, TensorLayout]:
        """The layouts by their keys."""
        return dict(self._layouts)


class Distribution:
    """Base class of `DataParallel` and `ModelParallel`.

    Attributes:
        device_mesh: The mesh.
        batch_dim_name: The mesh axis that divides each batch.
        placement: The placement that the distribution stands for.
    """

    def __init__(
        self, device_mesh: DeviceMesh, batch_dim_name: str, placement: Placement, auto_shard: bool
    ) -> None:
        self.device_mesh, self.batch_dim_name = device_mesh, batch_dim_name
        self.placement = placement
        self.auto_shard_dataset = auto_shard

    @property
    def auto_shard_dataset(self) -> bool:
        """Whether batches of an iterable would have to be divided among several processes."""
        return self.placement.auto_shard_dataset

    @auto_shard_dataset.setter
    def auto_shard_dataset(self, value: bool) -> None:
        self.placement = dataclasses.replace(self.placement, auto_shard_dataset=bool(value))

    @property
    def num_model_replicas(self) -> int:
        """The number of parts into which each batch is divided."""
        return self.placement.batch_shards

    def get_data_layout(self, data_shape: Iterable[Any]) -> TensorLayout:
        """Return the layout of a batch of this shape."""
        rest = [None for _ in data_shape][1:]
        return TensorLayout((self.batch_dim_name, *rest), self.device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """Return the layout of a weight."""
        weight = Weight(variable.path, variable.shape, True, 0)
        (spec,) = self.placement.layout.specs([weight], self.device_mesh.backend_mesh)
        axes = (*spec, *[None] * (len(variable.shape) - len(spec)))
        return TensorLayout(axes, self.device_mesh)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Return the layout of the outputs of a layer, by its path; None for no layout."""
        return None

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Make this the distribution of models that are created or compiled in the block."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(before)

    def __repr__(self) -> str:
        mesh = self.device_mesh
        return f"{type(self).__name__}(device_mesh={mesh}, batch_dim_name={self.batch_dim_name!r})"


class DataParallel(Distribution):
    """Each batch is divided, and every device has all weights: `data_parallel` by Keras's name.

    Args:
        device_mesh: A mesh, whose first axis divides the batches.
        devices: Devices in place of a mesh; by default all of them.
        auto_shard_dataset: With several processes, as in Keras: whether an iterable of batches is
            the same in all of them, which is an error, or, with False, yields the part of each.

    Source: Keras's page "DataParallel".

    >>> DataParallel(devices=["cpu:0"])
    DataParallel(device_mesh=DeviceMesh(shape=(1,), axis_names=['batch']), batch_dim_name='batch')
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Iterable[Any] | None = None,
        auto_shard_dataset: bool = True,
    ) -> None:
        if device_mesh is None:
            found = find_devices("DataParallel", devices).ravel()
            device_mesh = DeviceMesh((len(found),), [BATCH], found)
        if not isinstance(device_mesh, DeviceMesh):
            raise ValueError(
                f"`DataParallel`: `device_mesh` must be a `DeviceMesh`, received {device_mesh!r}."
            )
        if len(device_mesh.shape) > 1:
            warnings.warn(
                f"`DataParallel`: {device_mesh!r} has several axes; the first one divides the "
                "batches, and along the others all devices compute the same.",
                stacklevel=2,
            )
        name = device_mesh.axis_names[0]
        placement = Placement(device_mesh.backend_mesh, name)
        super().__init__(device_mesh, name, placement, auto_shard_dataset)


class ModelParallel(Distribution):
    """Weights are divided by a `LayoutMap`; others are replicated: `sharded` by Keras's name.

    The outputs of layers are divided, too, if a key matches their path, such as "dense/output". A
    key that matches nothing in a model has no effect, as in Keras.

    Args:
        layout_map: The layouts.
        batch_dim_name: The mesh axis that divides each batch; by default the first one.
        auto_shard_dataset: With several processes, as in Keras: whether an iterable of batches is
            the same in all of them, which is an error, or, with False, yields the part of each.

    Source: Keras's page "ModelParallel".

    >>> layout_map = LayoutMap(DeviceMesh((1, 1), ["data", "model"], ["cpu:0"]))
    >>> layout_map["dense.*output"] = ("data", None)
    >>> distribution = ModelParallel(layout_map=layout_map)
    >>> distribution.num_model_replicas, distribution.get_tensor_layout("dense_1/output").axes
    (1, ('data', None))
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
    ) -> None:
        if not isinstance(layout_map, LayoutMap):
            raise ValueError(
                f"`ModelParallel`: `layout_map` must be a `LayoutMap`, received {layout_map!r}."
            )
        mesh = layout_map.device_mesh
        name = mesh.axis_names[0] if batch_dim_name is None else batch_dim_name
        rules = {key: layout.spec for key, layout in layout_map.layouts.items()}
        placement = place_by_rules("ModelParallel", mesh, rules, name, is_strict=False)
        super().__init__(mesh, name, placement, auto_shard_dataset)
        self._layout_map = layout_map

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Return the layout of the outputs of a layer, by a path such as "dense/output"; or None.

        Raises:
            ValueError: Several keys match the path.
        """
        return self._layout_map[path]
