"""First epochs: equal networks, the cache, and what is said of them."""

import keras
import numpy as np
import pytest

import fjax
from benchmarks.__main__ import main
from benchmarks.compilation import first_epochs_report as report
from benchmarks.compilation import fjax_networks, keras_networks
from benchmarks.compilation.first_epochs import QUICK, FirstEpochs, Measured, cache_settings
from benchmarks.compilation.programs import SYMBOLIC_CALL
from benchmarks.compilation.runner import Case
from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants.fit import compiled
from benchmarks.data import load
from benchmarks.jobs import FIRST_EPOCHS, JOBS, find_job
from benchmarks.processes import missing
from benchmarks.runner import trainer

NEW = [
    name
    for name, job in FIRST_EPOCHS.items()
    if job.network not in {j.network for j in JOBS.values()}
]


@pytest.mark.parametrize("name", NEW)
def test_the_networks_are_equal_and_fit_their_data(name):
    job = find_job(name, quick=True)
    own, theirs = (compiled(library, job) for library in (fjax, keras))
    assert own.count_params() == theirs.count_params()
    x, y = load(job)
    assert [array.shape[1:] for array in job.inputs(x)] == job.input_shapes
    for model in (own, theirs):
        shape = model.output_shape
        assert shape[1:] in (y.shape[1:], (*y.shape[1:], job.vocabulary))


def test_the_names_of_jobs_are_unique():
    assert not set(JOBS) & set(FIRST_EPOCHS)
    assert set(QUICK) <= set(FIRST_EPOCHS)


@pytest.mark.parametrize("name", FIRST_EPOCHS)
def test_a_first_epoch_is_short_and_ends_in_a_smaller_batch(name):
    job = find_job(name, quick=False)
    assert job.steps == 5 and job.rows % job.batch_size


def test_a_bidirectional_layer_is_called_on_a_symbolic_tensor():
    assert fjax_networks.bidirectional_call(5)() == keras_networks.bidirectional_call(5)() == 64


def measured(fjax, keras_jax):
    records = {"fjax": FirstEpochs(fjax, fjax, "1"), "keras_jax": FirstEpochs(keras_jax, keras_jax)}
    records["keras_tensorflow"] = FirstEpochs([9.0, 9.0])
    records["jax_loop"] = FirstEpochs()
    symbolic = {name: Case(program, 40) for name, program in SYMBOLIC_CALL.items()}
    symbolic["fjax"].seconds, symbolic["keras_jax"].seconds = fjax, keras_jax
    return Measured({"first_dense": records}, symbolic)


def test_the_tables_have_cold_and_cached_times():
    tables = report.tables(measured([1.0, 2.0], [3.0, 4.0]))
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables.splitlines()]
    assert ["dense: Keras on JAX", "3.50", "2.50", "3.50", "2.50"] in lines
    assert ["dense: Keras on TensorFlow", "9.00", "6.75", "", ""] in lines
    assert ["dense: JAX, bare `fori_loop`", "not installed", "", "", ""] in lines
    assert ["Keras on JAX", "3.500", "2.50"] in lines


def test_the_targets_are_told_honestly():
    assert [good for _, good in report.targets(measured([1.0], [2.0]))] == [True, True, True]
    found = report.targets(measured([3.0], [2.0]))
    assert [good for _, good in found] == [False, False, False]
    assert "first_step: dense, cold, 3.00 s, at most Keras on JAX's 2.00 s" in dict(found)


@pytest.mark.thorough
def test_a_first_epoch_fills_the_cache(tmp_path):
    x, y = load(find_job("first_dense", quick=True))
    np.savez(tmp_path / "data.npz", x=x, y=y)
    settings = cache_settings(str(tmp_path / "cache"))
    files = []
    for _ in range(2):
        with trainer(
            "fjax", "first_dense", str(tmp_path / "data.npz"), 0, True, settings
        ) as process:
            process.report()
            assert process.ask("turn")["seconds"] > 0
        files.append(sorted(path.name for path in (tmp_path / "cache").iterdir()))
    assert files[0] and [name for name in files[0] if name.endswith("cache")] == [
        name for name in files[1] if name.endswith("cache")
    ]


@pytest.mark.slow
def test_the_job_runs(capsys):
    main(["--quick", "--jobs", "first_step"])
    printed = capsys.readouterr().out
    for name in ("fjax", "keras_jax", "keras_tensorflow", "jax_loop"):
        rows = [
            line
            for line in printed.splitlines()
            if line.startswith(f"| dense: {CONTESTANTS[name].label} ")
        ]
        assert len(rows) == 1
        assert ("not installed" in rows[0]) == bool(missing(CONTESTANTS[name]))
    assert "first_step: `Bidirectional(LSTM)` on a symbolic tensor" in printed
