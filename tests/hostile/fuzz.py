"""Load very many forged model files: `python -m tests.hostile.fuzz --files 100000 --seed 1`.

Each must be refused by a `ModelFileError`, or load as a model, within a second. The process has a
limit of memory, and an audit hook that ends it if anything but the file is opened, or anything is
run.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from typing import Any

from fjax.models import Model, load_model
from fjax.saving import ModelFileError
from tests.hostile.files import Original, changed, changed_tensors, victims

MEMORY = 8 * 2**30
FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect",
             "shutil.rmtree", "os.remove", "os.rename", "ctypes.dlopen",
             "pickle.find_class")  # fmt: skip


def main(files: int, seed: int) -> Counter[str]:
    """Make and load so many files; return how many were refused, and how many loaded."""
    draw = random.Random(seed)
    told: Counter[str] = Counter()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        originals = [Original(model, path) for model in victims()]
        for original in originals:
            original.write(path)
            load_model(path)
        watching = [True]
        sys.addaudithook(lambda event, arguments: _watch(watching, path, event, arguments))
        for number in range(files):
            original = draw.choice(originals)
            watching[0] = False
            if draw.random() < 0.15:
                original.write(path, tensors=changed_tensors(original.tensors, draw))
            else:
                original.write(path, changed(original.document, draw))
            watching[0] = True
            told[_outcome(path, number)] += 1
        watching[0] = False
    return told


def _outcome(path: str, number: int) -> str:
    started = time.process_time()
    try:
        model = load_model(path)
    except ModelFileError:
        outcome = "refused"
    else:
        assert isinstance(model, Model), (number, model)
        outcome = "loaded"
    taken = time.process_time() - started
    assert taken < 1.0, f"file {number} took {taken:.1f} s"
    return outcome


def _watch(watching: list[bool], path: str, event: str, arguments: Any) -> None:
    if not watching[0]:
        return
    if event.startswith(FORBIDDEN):
        os._exit(70)
    if event == "open" and isinstance(arguments[0], str):
        name = arguments[0]
        # Python reads its own modules and, for a traceback, their sources.
        if name != path and not name.endswith((".py", ".pyc", ".so")):
            print(f"opened {name}", file=sys.stderr)
            os._exit(71)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    warnings.simplefilter("ignore")
    print(dict(main(**vars(parser.parse_args()))))
