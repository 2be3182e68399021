"""An extension of Griffe, which reads the docstrings for mkdocstrings."""

import inspect
import re
from typing import Any

import griffe

# Lines from a `>>>` at the beginning of a paragraph to the next empty line.
_DOCTEST = re.compile(r"(?:^|(?<=\n\n))(>>> .*?)(?=\n\n|\Z)", re.DOTALL)


class Docstrings(griffe.Extension):
    """Show doctests as blocks of code, and the arguments of a class from its signature."""

    def on_instance(self, *, node: Any, obj: griffe.Object, **options: Any) -> None:
        """Fence the doctests of a docstring."""
        if obj.docstring is not None:
            obj.docstring.value = _DOCTEST.sub(r"```pycon\n\1\n```", obj.docstring.value)

    def on_module_members(
        self, *, node: Any, mod: griffe.Module, agent: Any, **options: Any
    ) -> None:
        """Add the functions that `__all__` leaves out, and another module exports."""
        if not isinstance(node, griffe.ObjectNode):
            return
        for name, value in vars(node.obj).items():
            missing = name not in mod.members and not name.startswith("_")
            if missing and inspect.isfunction(value) and value.__module__ == mod.path:
                agent.inspect(griffe.ObjectNode(value, name=name, parent=node))

    def on_class_members(self, *, node: Any, cls: griffe.Class, **options: Any) -> None:
        """Add the constructor that a class makes of its fields."""
        if not isinstance(node, griffe.ObjectNode) or "__init__" in vars(node.obj):
            return
        try:
            signature = inspect.signature(node.obj)
        except (TypeError, ValueError):
            return
        parameters = [
            griffe.Parameter(
                parameter.name,
                kind=griffe.ParameterKind(parameter.kind.description),
                annotation=_annotation(parameter.annotation),
                default=_default(parameter),
            )
            for parameter in signature.parameters.values()
        ]
        cls.set_member(
            "__init__", griffe.Function("__init__", parameters=griffe.Parameters(*parameters))
        )


def _annotation(annotation: Any) -> str | None:
    if annotation is inspect.Parameter.empty:
        return None
    return inspect.formatannotation(annotation)


def _default(parameter: inspect.Parameter) -> str | None:
    if parameter.default is not inspect.Parameter.empty:
        return repr(parameter.default)
    return {parameter.VAR_POSITIONAL: "()", parameter.VAR_KEYWORD: "{}"}.get(parameter.kind)
