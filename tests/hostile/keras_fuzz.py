"""Load many forged files of Keras: `python -m tests.hostile.keras_fuzz --files 20000 --seed 1`.

As `tests.hostile.fuzz`: each must be refused with a `ModelFileError` or load as a model, within a
second, in limited memory, and without opening or running anything.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import warnings
from collections import Counter

from fjax.models import load_model
from tests.hostile.fuzz import MEMORY, audit, timed_load
from tests.hostile.keras_files import KerasFile, forge_bytes, forge_config, sample_model


def main(files: int, seed: int) -> Counter[str]:
    """Load this many forged files; return how many were refused, and how many were loaded."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        sample_model().save(path)
        genuine = KerasFile(path)
        load_model(path)
        weights, legacy = genuine.members["model.weights.h5"], genuine.legacy()
        with open(path, "rb") as file:
            archive = file.read()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        watching = [True]
        sys.addaudithook(lambda event, arguments: audit(watching, path, event, arguments))
        for number in range(files):
            kind = rng.choice(["config", "config", "weights", "archive", "legacy", "older config"])
            watching[0] = False
            if kind == "config":
                genuine.write(path, forge_config(genuine.config, rng))
            elif kind == "weights":
                genuine.write(path, **{"model.weights.h5": forge_bytes(weights, rng)})
            else:
                if kind == "archive":
                    content = forge_bytes(archive, rng)
                elif kind == "legacy":
                    content = forge_bytes(legacy, rng)
                else:
                    content = genuine.legacy(forge_config(genuine.config, rng))
                with open(path, "wb") as file:
                    file.write(content)
            watching[0] = True
            outcomes[timed_load(path, number)] += 1
        watching[0] = False
    return outcomes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    warnings.simplefilter("ignore")
    print(dict(main(**vars(parser.parse_args()))))
