"""A search as a plain loop with a folder for each trial, which can be killed and started again.

Finished trials are skipped, an unfinished trial resumes after its last epoch, and all results are
those of an uninterrupted search.
"""

import argparse
import itertools
import json
import os
from pathlib import Path

import fjax

UNITS = (16, 64)
RATES = (1e-3, 1e-2)


def make_model(units: int, learning_rate: float) -> fjax.Sequential:
    """Return a compiled classifier of the digits, with a seed that makes trials reproducible."""
    model = fjax.Sequential([
        fjax.Input((8, 8)),
        fjax.layers.Flatten(),
        fjax.layers.Rescaling(1 / 16),
        fjax.layers.Dense(units, activation="relu"),
        fjax.layers.Dropout(0.2),
        fjax.layers.Dense(10, activation="softmax"),
    ], seed=0)  # fmt: skip
    adam = fjax.optimizers.Adam(learning_rate)
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def write_atomically(file: Path, result: dict) -> None:
    """Write a file that is always complete or missing."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(result, indent=2))
    os.replace(part, file)


def main(epochs: int = 20, folder: str = "trials") -> dict[str, dict]:
    """Run all trials that are not finished; return the results of all trials by name."""
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()
    results = {}
    for units, rate in itertools.product(UNITS, RATES):
        name = f"units_{units}_rate_{rate:g}"
        trial = Path(folder) / name
        trial.mkdir(parents=True, exist_ok=True)
        result = trial / "result.json"
        if not result.exists():
            model = make_model(units, rate)
            history = model.fit(
                x_train, y_train, epochs=epochs, validation_split=0.2, verbose=0,
                resume=trial / "run",
            )  # fmt: skip
            model.save(trial / "model.fjax")
            # Written last: if this file exists, the trial is finished.
            last = {log: values[-1] for log, values in history.history.items()}
            write_atomically(result, {"units": units, "learning_rate": rate, **last})
        results[name] = json.loads(result.read_text())
        print(f"{name}: validation loss {results[name]['val_loss']:.4f}")
    best = min(results, key=lambda name: results[name]["val_loss"])
    model = fjax.models.load_model(Path(folder) / best / "model.fjax")
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"best: {best}, test accuracy {accuracy:.3f}")
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--folder", default="trials")
    main(**vars(parser.parse_args()))
