"""How the weights of a layer are arranged in a file of Keras."""

from collections.abc import Mapping
from typing import NamedTuple


class KerasLayout(NamedTuple):
    """The groups and arrays of a layer in Keras's files, where they differ from the layer's own.

    A layer is a group with its own weights in the order of `get_weights`, and a group for each
    layer within it. A class declares what is different by the attribute `keras_layout`.

    Attributes:
        class_name: The name of the class, from which the name of its group is made.
        group: The group within that of the layer that has its own weights, such as "cell".
        repeated: The arrays in `group` that a file has again in the group of the layer, which comes
            from an attribute of Keras's layer for the weight of another one.
        beside: The arrays that are not in `group`, but in the group of the layer.
        children: The groups of the layers within this one, in their order, or by their names.
        container: The group of a list of layers, which are named after their classes there.
        is_optional: Whether the arrays are missing where arguments of the layer determine them.
        takes_list: Whether several inputs are a list in Keras, as those of `Add`.
    """

    class_name: str | None = None
    group: str = ""
    repeated: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    children: tuple[str, ...] | Mapping[str, str] = ()
    container: str = ""
    is_optional: bool = False
    takes_list: bool = True
