"""The widget: the same page, by messages."""

import json
import sys

import pytest

import fjax
from fjax.playground import Playground, PlaygroundError


def test_messages_are_answered_by_their_number(monkeypatch):
    widget, sent = Playground(hidden=(2,), language="ko"), []
    monkeypatch.setattr(widget, "send", lambda content, buffers: sent.append((content, buffers)))
    request = {"kind": "start", "settings": widget.settings, "page": "a"}
    widget._handle_custom_msg({"number": "a:1", "request": request}, [])
    (content, (packed,)), = sent  # fmt: skip
    length = int.from_bytes(packed[:4], "little")
    assert content == {"number": "a:1"}
    assert json.loads(packed[4 : 4 + length])["settings"]["hidden"] == [2]


def test_wrong_arguments_are_errors_at_once():
    with pytest.raises(PlaygroundError, match="at most 8 hidden layers"):
        Playground(hidden=[64] * 10)
    with pytest.raises(PlaygroundError, match="language must be one of en, ko, received fr"):
        Playground(language="fr")
    with pytest.raises(PlaygroundError, match="no setting dta"):
        Playground(dta="xor")


def test_without_anywidget_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r"pip install fjax\[notebook\]"):
        getattr(fjax.playground, "Playground")  # noqa: B009
    assert fjax.playground.load_data("xor")
