"""A search as a plain loop, a folder for each trial: kill it at any instant, run it once more.

What is done is skipped, what was begun goes on from its last epoch, and all numbers come out as if
it had never been interrupted.
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
    """Return a compiled classifier of the digits; its seed makes a trial repeatable."""
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


def write_whole(file: Path, result: dict) -> None:
    """Put a file into its place in one instant: it is there whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(result, indent=2))
    os.replace(part, file)


def main(epochs: int = 20, folder: str = "trials") -> dict[str, dict]:
    """Make all trials that are not done; return the results of all by their names."""
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()
    results = {}
    for units, rate in itertools.product(UNITS, RATES):
        name = f"units_{units}_rate_{rate:g}"
        trial = Path(folder) / name
        trial.mkdir(parents=True, exist_ok=True)
        done = trial / "result.json"
        if not done.exists():
            model = make_model(units, rate)
            history = model.fit(
                x_train, y_train, epochs=epochs, validation_split=0.2, verbose=0,
                resume=trial / "run",
            )  # fmt: skip
            model.save(trial / "model.fjax")
            # The last thing of a trial: who finds it, finds all the rest.
            last = {log: values[-1] for log, values in history.history.items()}
            write_whole(done, {"units": units, "learning_rate": rate, **last})
        results[name] = json.loads(done.read_text())
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
