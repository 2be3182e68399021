"""`cv_results_`: the table of a search, in scikit-learn's form."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.ma import MaskedArray
from scipy.stats import rankdata


def results_table(
    parameters: Sequence[Mapping[str, Any]],
    columns: Mapping[str, np.ndarray],
    ranked: Sequence[str],
    extra: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Return the results of a search as the searches of scikit-learn do.

    Args:
        parameters: The parameters of each candidate.
        columns: For each quantity, such as "fit_time" and "test_score", an array of shape
            (candidates, folds).
        ranked: The quantities to rank by, highest first; candidates without a score are last.
        extra: More columns, with one value for each candidate.
    """
    times = [name for name in columns if name.endswith("_time")]
    results = dict(extra) | _mean_and_std(columns, times)
    names = dict.fromkeys(name for values in parameters for name in values)
    results |= {f"param_{name}": _parameter_column(name, parameters) for name in names}
    results["params"] = [dict(values) for values in parameters]
    for name in _score_names(columns):
        results |= {f"split{fold}_{name}": scores for fold, scores in enumerate(columns[name].T)}
        results |= _mean_and_std(columns, [name])
        if name in ranked:
            results[f"rank_{name}"] = _ranks(results[f"mean_{name}"])
    return results


def _score_names(columns: Mapping[str, Any]) -> list[str]:
    """Return the names of the test scores, each followed by that of its training score."""
    pairs = [
        (name, f"train_{name.removeprefix('test_')}")
        for name in columns
        if name.startswith("test_")
    ]
    return [name for pair in pairs for name in pair if name in columns]


def _mean_and_std(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, Any]:
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


def _parameter_column(name: str, parameters: Sequence[Mapping[str, Any]]) -> MaskedArray:
    """Return the values of one parameter, masked for candidates without it."""
    values = [candidate[name] for candidate in parameters if name in candidate]
    are_numbers = all(isinstance(value, int | float | np.number | np.bool_) for value in values)
    dtype = np.array(values).dtype if are_numbers else object
    column = MaskedArray(np.empty(len(parameters), dtype), mask=True)
    for index, candidate in enumerate(parameters):
        if name in candidate:
            column[index] = candidate[name]
    return column
