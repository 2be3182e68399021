"""The members of a population: what each is trained from, and what is measured of all."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fjax.population.program_groups import Parts
from fjax.training import TrainState
from fjax.training.accumulators import Metrics
from fjax.typing import PyTree


class Member(NamedTuple):
    """What one member is trained from.

    Attributes:
        parts: Its network, loss and optimizer.
        specs: The shapes and dtypes of the network's inputs.
        seed: Gives the weights, the order of the rows, and all that training draws.
        rows: The rows of the data to train on.
        validation_rows: The rows to validate on after each epoch; None for all members to skip
            validation.
        train_state: The state to begin with; None draws the weights.
    """

    parts: Parts
    specs: tuple[PyTree, ...]
    seed: int
    rows: np.ndarray
    validation_rows: np.ndarray | None = None
    train_state: TrainState | None = None


class Measurements(NamedTuple):
    """What is measured of every member.

    Attributes:
        metrics: What is measured beside the loss.
        sums: The empty sums of an epoch.
        directions: For each log whether it improves "up" or "down", None where that is unknown.
    """

    metrics: Metrics
    sums: PyTree
    directions: Mapping[str, str | None]

    def without_validation(self) -> dict[str, str | None]:
        """Return the directions of the logs of training."""
        return {name: way for name, way in self.directions.items() if not name.startswith("val_")}


def check_members(members: Sequence[Member], row_count: int) -> None:
    """Raise ValueError for members that cannot be trained side by side on data of so many rows."""
    if not members:
        raise ValueError("A population needs at least one member.")
    for index, member in enumerate(members):
        for name in ("rows", "validation_rows"):
            rows = getattr(member, name)
            if rows is None:
                continue
            if len(rows) == 0 or np.min(rows) < 0 or np.max(rows) >= row_count:
                raise ValueError(
                    f"Member {index} of the population: `{name}` must hold one or more of the rows "
                    f"0 to {row_count - 1} of the data, received {rows!r}."
                )
    validated = [member.validation_rows is not None for member in members]
    if any(validated) and not all(validated):
        raise ValueError(
            "Either all members of a population have `validation_rows` or none has: member "
            f"{validated.index(False)} has no `validation_rows`, and member "
            f"{validated.index(True)} has."
        )
