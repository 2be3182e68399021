"""`python -m tests.paths`: print how many of our functions and files a first `fit` enters.

Also the frames of ours between `Model.fit` and a layer's `apply`, while the step is traced.
"""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import fjax
from fjax.layers import Dense, Input

ROOT = str(Path(fjax.__file__).parent)


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame runs code of fjax's, generator expressions not counted."""
    code = frame.f_code
    return code.co_filename.startswith(ROOT) and not code.co_name.startswith("<")


def frames_of(frame: FrameType | None) -> list[str]:
    """Return our frames from `Model.fit` to this one, the outermost first."""
    names: list[str] = []
    while frame is not None:
        if is_ours(frame):
            names.append(f"{frame.f_code.co_filename[len(ROOT) + 1 :]}:{frame.f_code.co_qualname}")
        if frame.f_code.co_qualname == "Model.fit":
            return names[::-1]
        frame = frame.f_back
    return []


def main() -> None:
    """Train a small `Sequential` for the first time, and count."""
    model = fjax.Sequential([Input((4,)), Dense(8, "relu"), Dense(1)], seed=0)
    model.compile("adam", "mse", metrics=["mae"])
    x, y = np.ones((40, 4), "float32"), np.ones((40, 1), "float32")
    entered: set[tuple[str, str, int]] = set()
    paths: list[list[str]] = []

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event != "call" or not is_ours(frame):
            return
        code = frame.f_code
        entered.add((code.co_filename, code.co_qualname, code.co_firstlineno))
        values = frame.f_locals
        if code.co_name == "apply" and isinstance(values.get("self"), Dense) and values["training"]:
            paths.append(frames_of(frame))

    sys.setprofile(profile)
    model.fit(x, y, epochs=1, verbose=0)
    sys.setprofile(None)
    print(f"a first fit enters {len(entered)} functions in {len({f for f, _, _ in entered})} files")
    longest = max(paths, key=len)
    print(f"from Model.fit to apply of Dense there are {len(longest)} frames:")
    for name in longest:
        print(f"  {name}")


main()
