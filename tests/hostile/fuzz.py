"""Load many forged model files: `python -m tests.hostile.fuzz --files 100000 --seed 1`.

Each file must be refused with a `ModelFileError` or load as a model, within a second. The memory of
the process is limited, and an audit hook ends the process if it opens any other file, or runs
anything.
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
from tests.hostile.files import GenuineFile, forge_document, forge_tensors, sample_models

MEMORY = 8 * 2**30
FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect",
             "shutil.rmtree", "os.remove", "os.rename", "ctypes.dlopen",
             "pickle.find_class")  # fmt: skip


def main(files: int, seed: int) -> Counter[str]:
    """Load this many forged files; return how many were refused, and how many were loaded."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        genuine_files = [GenuineFile(model, path) for model in sample_models()]
        for genuine in genuine_files:
            genuine.write(path)
            load_model(path)
        watching = [True]
        sys.addaudithook(lambda event, arguments: audit(watching, path, event, arguments))
        for number in range(files):
            genuine = rng.choice(genuine_files)
            watching[0] = False
            if rng.random() < 0.15:
                genuine.write(path, tensors=forge_tensors(genuine.tensors, rng))
            else:
                genuine.write(path, forge_document(genuine.document, rng))
            watching[0] = True
            outcomes[timed_load(path, number)] += 1
        watching[0] = False
    return outcomes


def timed_load(path: str, number: int) -> str:
    """Load a file, and return whether it was refused or loaded."""
    started = time.process_time()
    try:
        model = load_model(path)
    except ModelFileError:
        outcome = "refused"
    else:
        assert isinstance(model, Model), (number, model)
        outcome = "loaded"
    seconds = time.process_time() - started
    assert seconds < 1.0, f"file {number} took {seconds:.1f} s"
    return outcome


def audit(watching: list[bool], path: str, event: str, arguments: Any) -> None:
    """End the process at an event that loading must not cause."""
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
