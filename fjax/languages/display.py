"""Show errors with a translation: in a terminal, and in IPython and notebooks.

Where errors are raised and caught, nothing is added: the hooks run when an error is about to be
printed.
"""

import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple

Translate = Callable[[str], str | None]


class _Shell(NamedTuple):
    """IPython's shell, and how it showed errors before."""

    shell: Any
    exceptions: tuple[type[BaseException], ...]
    handler: Any


class _Hooks:
    translate: Translate | None = None
    # What was called before.
    excepthook: Any = None
    shell: _Shell | None = None


def install(translate: Translate) -> None:
    """Add a translation to each error that is printed.

    Args:
        translate: Returns the translation of a message, or None.
    """
    is_installed = _Hooks.translate is not None
    _Hooks.translate = translate
    if is_installed:
        return
    _Hooks.excepthook, sys.excepthook = sys.excepthook, _show
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        _Hooks.shell = _Shell(shell, shell.custom_exceptions, shell.CustomTB)
        shell.set_custom_exc((Exception,), _show_in_shell)


def remove() -> None:
    """Let errors be printed as before `install`."""
    _Hooks.translate = None
    # A hook that was set later than ours calls ours, which then adds nothing.
    if sys.excepthook is _show:
        sys.excepthook = _Hooks.excepthook
    if _Hooks.shell is not None:
        shell, exceptions, handler = _Hooks.shell
        shell.custom_exceptions, shell.CustomTB = exceptions, handler
        _Hooks.shell = None


def add_translations(error: BaseException, translate: Translate) -> None:
    """Add the translations of an error's message and notes to its notes, once.

    The errors that it was raised from, and those of a group, get theirs, too.

    >>> error = ValueError("No data.")
    >>> add_translations(error, {"No data.": "데이터가 없습니다."}.get)
    >>> error.__notes__
    ['데이터가 없습니다.']
    """
    for each in _chain(error):
        notes = list(getattr(each, "__notes__", ()))
        # The text of a KeyError is the `repr` of its message.
        texts = [each.args[0] if isinstance(each, KeyError) and each.args else str(each), *notes]
        for text in texts:
            translation = translate(text) if isinstance(text, str) else None
            if translation is not None and translation not in notes:
                each.add_note(translation)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, None if each.__suppress_context__ else each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print an error that nothing has caught."""
    if _Hooks.translate is not None:
        add_translations(error, _Hooks.translate)
    _Hooks.excepthook(kind, error, traceback)


def _show_in_shell(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    traceback: Any,
    tb_offset: Any = None,
) -> Any:
    """Print an error of a cell."""
    if _Hooks.translate is not None:
        add_translations(error, _Hooks.translate)
    if _Hooks.shell is not None and isinstance(error, _Hooks.shell.exceptions):
        return _Hooks.shell.handler(kind, error, traceback, tb_offset=tb_offset)
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
    return None
