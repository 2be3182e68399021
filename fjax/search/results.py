"""`cv_results_`: the table of a search, in scikit-learn's form."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.ma import MaskedArray
from scipy.stats import rankdata


def table(
    parameters: Sequence[Mapping[str, Any]],
    columns: Mapping[str, np.ndarray],
    ranked: Sequence[str],
    further: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Return a search's results as scikit-learn's searches do.

    Args:
        parameters: The parameters of each candidate.
        columns: For each quantity, as "fit_time" and "test_score", a row for each candidate and a
            column for each fold.
        ranked: The quantities to rank by, the highest first; a candidate without a score is last.
        further: Columns that stand as they are, with one value for each candidate.
    """
    times = [name for name in columns if name.endswith("_time")]
    results = dict(further) | _moments(columns, times)
    names = dict.fromkeys(name for own in parameters for name in own)
    results |= {f"param_{name}": _column(name, parameters) for name in names}
    results["params"] = [dict(own) for own in parameters]
    for name in _test_and_train(columns):
        results |= {f"split{fold}_{name}": own for fold, own in enumerate(columns[name].T)}
        results |= _moments(columns, [name])
        if name in ranked:
            results[f"rank_{name}"] = _ranks(results[f"mean_{name}"])
    return results


def _test_and_train(columns: Collection[str]) -> list[str]:
    """Return the scores, behind each its like of the rows that were trained on."""
    pairs = [
        (name, f"train_{name.removeprefix('test_')}") for name in columns if name[:5] == "test_"
    ]
    return [name for pair in pairs for name in pair if name in columns]


def _moments(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, Any]:
    results = {}
    for name in names:
        results[f"mean_{name}"] = columns[name].mean(axis=1)
        results[f"std_{name}"] = columns[name].std(axis=1)
    return results


def _ranks(means: np.ndarray) -> np.ndarray:
    if np.isnan(means).all():
        return np.ones(len(means), np.int32)
    last = np.nanmin(means) - 1
    return rankdata(-np.nan_to_num(means, nan=last), method="min").astype(np.int32)


def _column(name: str, parameters: Sequence[Mapping[str, Any]]) -> MaskedArray:
    """Return the values of one parameter, masked for candidates that have none."""
    given = [own[name] for own in parameters if name in own]
    plain = all(isinstance(value, int | float | np.number | np.bool_) for value in given)
    dtype = np.array(given).dtype if plain else object
    column = MaskedArray(np.empty(len(parameters), dtype), mask=True)
    for place, own in enumerate(parameters):
        if name in own:
            column[place] = own[name]
    return column
