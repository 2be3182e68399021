"""What the page asks, and the answers: JSON and bytes, over any transport."""

import json
import math
import struct
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fjax.errors import is_integer, is_number
from fjax.playground.code import LIBRARIES
from fjax.playground.messages import PlaygroundError
from fjax.playground.points import EXTENT
from fjax.playground.session import SIZE, STRIDE, Record, Session
from fjax.playground.settings import Settings
from fjax.playground.tables import parse_table

# Steps that one request may ask for, and the time that they may take.
MOST_STEPS, MOST_SECONDS = 5000, 0.3

Answer = tuple[dict[str, Any], bytes]

# One run computes at a time, whichever page asks.
_COMPUTING = threading.Lock()


class Requests:
    """Answers the requests of one page.

    An answer is a header, which is plain data, and bytes: the weights in float32, then the surfaces
    of the outputs, of the hidden units and (after "start") of the features.

    >>> header, _ = Requests().answer({"kind": "start", "settings": {"data": "xor"}})
    >>> header["epoch"], header["classes"]
    (0, 2)
    >>> Requests().answer({"kind": "advance"})[0]["error"]["code"]
    'no_session'
    """

    def __init__(self) -> None:
        self._session: Session | None = None

    def answer(self, request: Any) -> Answer:
        """Return the answer to a request; a mistake in it is an answer with an "error"."""
        kinds: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
            "start": self._start,
            "prepare": self._prepare,
            "advance": self._advance,
            "rates": self._set_rates,
            "weight": self._set_weight,
            "code": self._show_code,
            "table": self._parse_table,
        }
        try:
            with _COMPUTING:
                kind = request.get("kind") if isinstance(request, Mapping) else None
                if not isinstance(kind, str) or kind not in kinds:
                    raise PlaygroundError("request", received=str(kind)[:50])
                return kinds[kind](request)
        except PlaygroundError as error:
            values = {name: str(value)[:200] for name, value in error.values.items()}
            return _error(error.code, values, str(error))
        except Exception as error:
            # A mistake of the playground itself: the page must not wait for ever.
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"[:200]
            return _error("internal", {"received": reason}, reason)

    def _start(self, request: Mapping[str, Any]) -> Answer:
        settings = Settings.from_json(request.get("settings"))
        session = Session(settings)
        header, surfaces = _frame(session, [])
        header |= {
            "settings": settings.to_json(),
            "size": SIZE,
            "unitSize": SIZE // STRIDE,
            "extent": EXTENT,
            "classes": 0 if session.aim.activation is None else max(2, session.aim.units),
            "outputs": session.aim.units,
            "outputActivation": session.aim.activation,
            "loss": session.aim.loss,
            "training": _points(*session.training_points),
            "test": _points(*session.test_points),
            "stepsPerEpoch": session.steps_per_epoch,
        }
        self._session = session
        return header, surfaces + session.feature_surfaces().tobytes()

    def _prepare(self, request: Mapping[str, Any]) -> Answer:
        del request
        return {"testLoss": _finite(self._running().prepare())}, b""

    def _advance(self, request: Mapping[str, Any]) -> Answer:
        steps = request.get("steps", 1)
        if not is_integer(steps) or not 1 <= steps <= MOST_STEPS:
            raise PlaygroundError("range", name="steps", low=1, high=MOST_STEPS, received=steps)
        session = self._running()
        return _frame(session, session.advance(steps, MOST_SECONDS))

    def _set_rates(self, request: Mapping[str, Any]) -> Answer:
        self._running().set_rates(request.get("learning_rate"), request.get("regularization_rate"))
        return {}, b""

    def _set_weight(self, request: Mapping[str, Any]) -> Answer:
        session = self._running()
        session.set_weight(request.get("index"), request.get("value"))
        return _frame(session, [])

    def _show_code(self, request: Mapping[str, Any]) -> Answer:
        del request
        session = self._running()
        return {library: session.show_code(library) for library in LIBRARIES}, b""

    def _parse_table(self, request: Mapping[str, Any]) -> Answer:
        table = parse_table(request.get("text"))
        return {"points": table.points, "task": table.task, "names": table.names}, b""

    def _running(self) -> Session:
        if self._session is None:
            raise PlaygroundError("no_session")
        return self._session


def _error(code: str, values: Mapping[str, str], message: str) -> Answer:
    return {"error": {"code": code, "values": values, "message": message}}, b""


def _frame(session: Session, records: list[Record]) -> Answer:
    """Return what the page draws of a run, and the losses that were recorded."""
    outputs, units = session.surfaces()
    weights = session.weights().astype("<f4")
    header = {
        "epoch": session.epoch,
        "records": [[_finite(value) for value in record] for record in records],
        "weights": len(weights),
        "units": len(units),
        "finite": bool(np.isfinite(weights).all())
        and all(math.isfinite(record.loss) for record in records),
    }
    return header, weights.tobytes() + outputs.tobytes() + units.tobytes()


def _points(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Return points as `[x1, x2, y]`, rounded to what a screen shows."""
    return [
        [round(float(value), 3) for value in (*point, y)] for point, y in zip(x, y, strict=True)
    ]


def _finite(value: Any) -> float | None:
    """Return a number, or None in place of NaN and infinity, which JSON does not have."""
    return value if is_number(value) else None


def pack(answer: Answer) -> bytes:
    r"""Return an answer as bytes: the length of the header, the header, and the bytes.

    The header is filled with spaces to a multiple of four bytes, so that the weights are aligned.

    >>> pack(({"a": 1}, b"xyz"))
    b'\x08\x00\x00\x00{"a": 1}xyz'
    """
    header = json.dumps(answer[0]).encode()
    header += b" " * (-len(header) % 4)
    return struct.pack("<I", len(header)) + header + answer[1]
