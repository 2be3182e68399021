"""The language of the process: errors are shown with a translation, and the bar speaks it."""

import contextlib
import io
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import fjax
from fjax.languages import display, use_environment
from fjax.languages.catalogue import read_catalogue

KOREAN = read_catalogue("ko")


@pytest.fixture
def korean():
    fjax.config.set_language("ko")
    yield
    fjax.config.set_language("en")


def model():
    return fjax.Sequential([fjax.layers.Dense(3, input_shape=(4,), name="dense")], name="small")


def compiled(loss="mse", units=3):
    small = fjax.Sequential([fjax.layers.Dense(units, input_shape=(4,))], name="small")
    small.compile("sgd", loss)
    return small


X, Y = np.ones((8, 4), "float32"), np.ones((8, 3), "float32")
NAN = np.where(np.eye(8, 4), np.nan, 1.0)

# What a beginner writes, and a piece of the Korean text that has the values of the mistake.
MISTAKES = {
    "activation": (
        lambda: fjax.layers.Dense(10, activation="rleu"),
        "알 수 없는 활성화 함수: 'rleu'. 비슷한 이름: `relu`.",
    ),
    "optimizer": (
        lambda: model().compile("best", "mse"),
        "알 수 없는 옵티마이저: 'best'. 쓸 수 있는 이름: Ada",
    ),
    "keyword": (
        lambda: compiled().fit(X, Y, epoch=5),
        "`Model.fit`에는 `epoch` 인자가 없습니다. 비슷한 이름: `epochs`. 쓸 수 있는 인자: x, y,",
    ),
    "units": (
        lambda: fjax.layers.Dense(-1),
        "`Dense`: `units` 인자는 1 이상의 정수여야 합니다. 받은 값: -1.",
    ),
    "rate": (
        lambda: fjax.layers.Dropout(50),
        "`Dropout`: `rate` 인자는 [0, 1] 범위의 수여야 합니다. 받은 값: 50.",
    ),
    "not compiled": (
        lambda: model().fit(X, Y),
        "small' 모델은 `fit` 전에 컴파일해야 합니다.",
    ),
    "no loss": (lambda: _without_loss().fit(X, Y), "훈련하려면 손실 함수가 필요합니다."),
    "shape": (
        lambda: compiled().fit(X[:, :2], Y),
        "`x`의 샘플 크기는 (2,)인데(전체 크기: (8, 2)) 'small' 모델에는 (4,) 크기의 샘플이 필요",
    ),
    "lengths": (
        lambda: compiled().fit(X, Y[:5]),
        "`x`의 샘플은 8개인데 `y`의 타깃은 5개입니다.",
    ),
    "nan": (
        lambda: compiled().fit(NAN, Y),
        "NaN이나 무한대인 값이 4개 있습니다. 첫 번째는 0번 행, 0 열의 nan입니다.",
    ),
    "classes": (
        lambda: compiled("sparse_categorical_crossentropy").fit(X, np.arange(8)),
        "3번 행에 3 값이 있습니다. 필요한 값: 0부터 2까지의 정수(모델의 출력이 3개).",
    ),
    "one unit": (
        lambda: compiled("sparse_categorical_crossentropy", 1).fit(X, np.zeros(8, int)),
        "출력 유닛이 하나면 그 클래스의 확률이 언제나 1이므로",
    ),
    "one-hot": (
        lambda: compiled("sparse_categorical_crossentropy").fit(X, Y.astype(int)),
        "의 크기((8, 3))가 예측의 크기((8, 3))에 맞지 않습니다. 원-핫 레이블에는",
    ),
    "text": (lambda: compiled().fit(np.array([["a"] * 4] * 8), Y), "`x`에는 수만 있어야"),
    "no targets": (lambda: compiled().fit(X), "타깃이 필요한데 `y`가 None입니다."),
    "no data": (lambda: compiled().fit(None), "데이터가 없습니다. `x`가 None입니다."),
    "channels": (
        lambda: fjax.layers.Conv2D(4, 3)(np.ones((2, 8, 8))),
        "채널 축이 없다면 `x[..., None]`처럼 추가하세요.",
    ),
    "layer class": (
        lambda: fjax.Sequential([fjax.layers.Flatten]),
        "층 객체 대신 `Flatten` 클래스를 넘겼습니다.",
    ),
    "names": (
        lambda: fjax.Sequential([fjax.layers.Dense(1, name="a"), fjax.layers.Dense(1, name="a")]),
        "이름이 'a'인 층이 둘 있습니다",
    ),
    "no such layer": (
        lambda: model().get_layer("dens"),
        "`get_layer`: 'small' 모델에는 'dens' 층이 없습니다. 비슷한 이름: `dense`. 층 목록: dense.",
    ),
    "monitor": (
        lambda: compiled().fit(X, Y, callbacks=[fjax.callbacks.EarlyStopping("val_loss")]),
        "'val_loss' 항목이 없습니다. `fit`에 `validation_split`이나",
    ),
    "file": (
        lambda: fjax.models.load_model("missing.fjax"),
        "'missing.fjax': 파일을 읽을 수 없습니다: [Errno 2]",
    ),
    "merge": (
        lambda: fjax.layers.Add()([np.ones((2, 3)), np.ones((2, 4))]),
        "입력을 합칠 수 없습니다. 마지막 축부터 맞추어 볼 때",
    ),
    "symbolic": (
        lambda: bool(fjax.Input((3,))),
        "아직 값이 없으므로 파이썬의 `if`, `and`, `or`, `in`으로 검사할 수 없습니다.",
    ),
    "language": (
        lambda: fjax.config.set_language("fr"),
        "`set_language`: `language` 인자는 'en', 'ko' 중 하나여야 합니다. 받은 값: 'fr'.",
    ),
}


def _without_loss():
    small = model()
    small.compile("sgd")
    return small


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_get_a_korean_note(name):
    mistake, expected = MISTAKES[name]
    with pytest.raises(Exception) as caught:
        mistake()
    message = str(caught.value)
    display.add_translations(caught.value, KOREAN.translate)
    display.add_translations(caught.value, KOREAN.translate)
    added = [note for note in caught.value.__notes__ if expected in note]
    assert len(added) == 1, caught.value.__notes__
    assert str(caught.value) == message


def test_the_location_of_an_error_is_translated():
    network = fjax.Sequential([fjax.layers.Dense(3, name="first"), fjax.layers.Conv2D(1, 2)])
    with pytest.raises(ValueError) as caught:
        network(X)
    display.add_translations(caught.value, KOREAN.translate)
    assert any(note.startswith("오류가 난 층: 'conv2d'") for note in caught.value.__notes__)


def test_the_message_of_a_key_error_and_causes_are_translated():
    group = ExceptionGroup("several", [KeyError("There is no data: `x` is None.")])
    error = RuntimeError("another")
    error.__cause__ = group
    display.add_translations(error, KOREAN.translate)
    assert not hasattr(error, "__notes__") and not hasattr(group, "__notes__")
    assert group.exceptions[0].__notes__ == ["데이터가 없습니다. `x`가 None입니다."]


def test_errors_of_others_are_not_translated():
    for text in ("invalid literal for int() with base 10: 'x'", "x: y", "", "Unknown"):
        assert KOREAN.translate(text) is None


def test_an_uncaught_error_is_shown_in_both_languages():
    command = [sys.executable, "-c", "import fjax; fjax.layers.Dense(-1)"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "FJAX_LANG": "ko"}
    ended = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert ended.returncode == 1
    assert ended.stderr.endswith(
        "ValueError: `Dense`: `units` must be an integer of at least 1, received -1.\n"
        "`Dense`: `units` 인자는 1 이상의 정수여야 합니다. 받은 값: -1.\n"
    )


def test_the_environment_sets_the_language(monkeypatch):
    monkeypatch.setenv("FJAX_LANG", "fr")
    with pytest.raises(ValueError, match="`FJAX_LANG` must be one of 'en', 'ko', received 'fr'"):
        use_environment()
    assert fjax.config.language() == "en"
    monkeypatch.setenv("FJAX_LANG", "ko")
    use_environment()
    assert fjax.config.language() == "ko"
    fjax.config.set_language("en")


def test_a_hook_of_the_user_is_called_and_comes_back(monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "excepthook", lambda *arguments: shown.append(arguments[1]))
    before = sys.excepthook
    fjax.config.set_language("ko")
    error = ValueError("There is no data: `x` is None.")
    sys.excepthook(ValueError, error, None)
    assert shown == [error] and error.__notes__ == ["데이터가 없습니다. `x`가 None입니다."]
    assert fjax.config.language() == "ko"
    fjax.config.set_language("en")
    assert sys.excepthook is before and fjax.config.language() == "en"


def test_a_notebook_shows_the_note(monkeypatch):
    """A stand-in for IPython's shell; `set_custom_exc` binds the handler, as IPython does."""
    shown = []

    def set_custom_exc(exceptions, handler):
        shell.custom_exceptions = exceptions
        shell.CustomTB = lambda *arguments, **keywords: handler(shell, *arguments, **keywords)

    def theirs(kind, error, traceback, tb_offset=None):
        shown.append(("theirs", error))

    shell = SimpleNamespace(
        custom_exceptions=(KeyError,), CustomTB=theirs, set_custom_exc=set_custom_exc,
        showtraceback=lambda exception, tb_offset: shown.append(("shell", exception[1])),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    fjax.config.set_language("ko")
    error, key_error = ValueError("There is no data: `x` is None."), KeyError("key")
    for each in (error, key_error):
        shell.CustomTB(type(each), each, None, tb_offset=1)
    fjax.config.set_language("en")
    assert shown == [("shell", error), ("theirs", key_error)]
    assert error.__notes__ == ["데이터가 없습니다. `x`가 None입니다."]
    assert shell.CustomTB is theirs and shell.custom_exceptions == (KeyError,)


def progress(verbose, encoding="utf-8"):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    with contextlib.redirect_stdout(stream):
        small = compiled()
        small.fit(X, Y, epochs=2, verbose=verbose)
        small.evaluate(X, Y, verbose=verbose)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_the_progress_is_in_korean(korean):
    bar, lines = progress(1), progress(2)
    assert bar.startswith("에포크 1/2: 100%|██████████| 1/1 [") and "/스텝, loss: " in bar
    assert "\n평가: 100%" in bar
    assert lines.startswith("에포크 1/2\n1/1 - ") and "/스텝 - loss: " in lines


def test_the_progress_is_in_english_where_korean_cannot_be_written(korean):
    assert progress(1, "ascii").startswith("Epoch 1/2: 100%|##########| 1/1 [")


def test_the_progress_is_in_english_by_default():
    assert progress(1).startswith("Epoch 1/2: 100%|")


def test_callbacks_report_in_korean(korean, capsys):
    stopping = fjax.callbacks.EarlyStopping("loss", patience=1, min_delta=1e9, verbose=1)
    schedule = fjax.callbacks.LearningRateScheduler(lambda epoch: 0.5, verbose=1)
    compiled().fit(X, Y, epochs=5, callbacks=[stopping, schedule], verbose=0)
    printed = capsys.readouterr().out
    assert "에포크 1: 학습률은 0.5입니다.\n" in printed
    assert "조기 종료했습니다. loss 값은 에포크 1에서 가장 좋았습니다.\n" in printed
