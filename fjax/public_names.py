"""What `dir` lists of a module: its public names, without those that it imports for itself."""

import ast
import functools
import inspect
import itertools
import sys
from types import ModuleType


def list_public_names(package: str) -> None:
    """Let `dir` of each loaded module of a package list only the module's public names.

    They are the names that the module defines, and those that it imports under the same name
    (`from a import b as b`), which is how a module of fjax exports a name.

    >>> import fjax
    >>> [name for name in dir(fjax.optimizers.schedules) if name[0] != "_"][:2]
    ['CosineDecay', 'CosineDecayRestarts']
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package and "__dir__" not in vars(module):
            vars(module)["__dir__"] = functools.partial(_names, module)


def _names(module: ModuleType) -> list[str]:
    special = {name for name in vars(module) if name.startswith("__")}
    return sorted(special | exported_names(module))


def exported_names(module: ModuleType) -> set[str]:
    """Return the names in `__all__`, or those that the source of a module defines or exports.

    >>> import fjax
    >>> sorted(exported_names(fjax.constraints))[:3]
    ['Constraint', 'MaxNorm', 'MinMaxNorm']
    """
    if hasattr(module, "__all__"):
        return set(module.__all__)
    body = ast.parse(inspect.getsource(module)).body
    within = (block.body for block in body if isinstance(block, ast.With | ast.If))
    names: set[str] = set()
    for node in itertools.chain(body, *within):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names if alias.asname == alias.name}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}
