"""What an author's class gets when it is defined: its pair, and `add_weight` in `__init__`."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from fjax.authoring.arguments import takes_more_than_shapes
from fjax.authoring.attributes import CONTEXT, INIT_WEIGHTS
from fjax.authoring.build_calls import note_on_object
from fjax.authoring.contexts import Construction, has_construction, is_bound, is_running
from fjax.authoring.pair import (
    authored_apply,
    authored_constraints,
    authored_discover,
    authored_init,
    authored_trace,
)
from fjax.authoring.sublayers import find_sublayers, replace_sublayers
from fjax.authoring.variable_weights import adopt_variables
from fjax.core.layer import Layer
from fjax.core.layer_facade import LayerFacade

PAIR: Mapping[str, Callable[..., Any]] = {
    "init": authored_init, "apply": authored_apply, "discover": authored_discover,
    "trace": authored_trace,
}  # fmt: skip

# These replace the methods of `Layer`, but not those of a class between it and the author's.
SUBLAYERS_AND_CONSTRAINTS: Mapping[str, Callable[..., Any]] = {
    "children": find_sublayers, "with_children": replace_sublayers,
    "weight_constraints": authored_constraints,
}  # fmt: skip


def prepare_class(cls: Any) -> None:
    """Make a pair of a layer's class with `build` and `call`, and allow `add_weight` in `__init__`.

    A layer's class that also defines `apply` is a pair already. A model's class does not become a
    pair, because a model has a network that is one.
    """
    is_layer = issubclass(cls, Layer)
    if is_layer and "call" in cls.__dict__ and "apply" not in cls.__dict__:
        for name, function in PAIR.items():
            setattr(cls, name, function)
        if cls.build is not LayerFacade.build and not hasattr(cls.build, "__wrapped__"):
            cls.build = build_within_a_pass(cls.build, LayerFacade, is_running)
        for name, function in SUBLAYERS_AND_CONSTRAINTS.items():
            if getattr(cls, name) is getattr(Layer, name):
                setattr(cls, name, function)
    if not is_layer or hasattr(cls, "discover"):
        _allow_add_weight_in_init(cls)


def build_within_a_pass(
    author_build: Callable[..., None], facade: type, runs: Callable[[Any], bool] = is_bound
) -> Callable[..., None]:
    """Wrap an author's `build`: outside of a pass, the facade's `build` is called instead.

    Args:
        author_build: The method.
        facade: The class with the other `build`.
        runs: Tells whether the object is in a pass.
    """

    @functools.wraps(author_build)
    def build(self: Any, *shapes: Any, **named_shapes: Any) -> None:
        # Read at each call: a reload of the class replaces `__wrapped__`.
        is_inside = runs(self)
        if not is_inside and facade is LayerFacade and takes_more_than_shapes(self):
            shapes, named_shapes = note_on_object(self, shapes, named_shapes), {}
        method: Any = build.__wrapped__ if is_inside else facade.build  # type: ignore[attr-defined]
        method(self, *shapes, **named_shapes)

    return build


def _allow_add_weight_in_init(cls: Any) -> None:
    if has_construction(cls):
        return

    @functools.wraps(cls.__init__)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        # A reload of the class puts another function here.
        author_init = __init__.__wrapped__
        if CONTEXT in vars(self):
            # Called by the `__init__` of a subclass.
            author_init(self, *args, **kwargs)
            return
        vars(self).pop(INIT_WEIGHTS, None)
        vars(self)[CONTEXT] = Construction(self)
        try:
            author_init(self, *args, **kwargs)
            adopt_variables(self)
        finally:
            del vars(self)[CONTEXT]

    __init__.is_construction = True  # type: ignore[attr-defined]
    cls.__init__ = __init__
