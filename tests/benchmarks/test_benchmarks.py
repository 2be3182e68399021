"""The benchmarks run, nobody is missing, and everybody trains the same thing."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax
from benchmarks import report
from benchmarks.__main__ import RUNS, main
from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants.fit import compiled
from benchmarks.data import load
from benchmarks.jobs import JOBS, find_job
from benchmarks.processes import missing
from benchmarks.runner import Record


def check_run(capsys, names):
    main(["--quick", "--jobs", *names])
    printed = capsys.readouterr().out
    jobs = [name for name in names if name in JOBS]
    for name, contestant in CONTESTANTS.items():
        rows = [line for line in printed.splitlines() if line.startswith(f"| {contestant.label} ")]
        assert len(rows) == sum(name not in JOBS[job].without for job in jobs)
        assert all(("not installed" in row) == bool(missing(contestant)) for row in rows)
    assert "off!" not in printed
    assert "`import fjax`" in printed
    assert all(f"{job}: first epoch" in printed for job in jobs)
    return printed


@pytest.mark.thorough
def test_every_contestant_has_its_rows_and_the_losses_agree(capsys):
    check_run(capsys, ["wide_and_deep"])


@pytest.mark.slow
def test_deep_networks_are_compiled_by_everybody(capsys):
    printed = check_run(capsys, ["compile"])
    assert "**20 layers" in printed
    assert "compile: `repeat` of 48 blocks" in printed


@pytest.mark.slow
def test_every_job_runs(capsys):
    check_run(capsys, list(JOBS))


@pytest.mark.parametrize("name", JOBS)
def test_all_contestants_train_networks_of_as_many_weights(name):
    pytest.importorskip("torch")
    job = find_job(name, quick=True)
    counts = {library.__name__: compiled(library, job).count_params() for library in (fjax, keras)}
    module = job.module.torch_module(job)
    counts["torch"] = sum(param.numel() for param in module.parameters())
    if "jax_step" not in job.without:
        params = job.module.first_params(job, np.random.default_rng(0))
        counts["by hand"] = sum(leaf.size for leaf in jax.tree.leaves(params))
    # PyTorch's buffers are no parameters; its LSTM has two biases.
    buffers = [b for b in module.buffers() if b.ndim]
    counts["torch"] += sum(buffer.numel() for buffer in buffers)
    counts["torch"] -= sum(p.numel() for n, p in module.named_parameters() if "bias_hh" in n)
    assert len(set(counts.values())) == 1, counts


@pytest.mark.parametrize("name", [name for name in JOBS if "jax_step" not in JOBS[name].without])
def test_the_hand_written_networks_compute_what_keras_computes(name):
    job = find_job(name, quick=True)
    x, _ = load(job)
    inputs = job.inputs(x[:8])
    model = compiled(keras, job)
    params = job.module.first_params(job, np.random.default_rng(0))
    model.set_weights(in_keras_order(params))
    # Dropout is off in both.
    outputs = job.module.outputs(job, jax.tree.map(jnp.asarray, params), inputs, None)
    expected = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    expected = expected if isinstance(expected, list) else [expected]
    activation = keras.activations.get(job.task.activation)
    for one, other in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(activation(one), other, rtol=1e-4, atol=1e-6)


def in_keras_order(params):
    """The weights in the order in which the networks name them, which is Keras's."""
    if isinstance(params, dict):
        names = ("vectors", "convolution", "lstm", "query", "key", "value", "output")
        names = [name for name in (*names, "normalization", "dense") if name in params]
        params = [params[name] for name in names]
    return jax.tree.leaves(params)


def test_the_wide_and_deep_job_has_the_networks_shapes():
    job = find_job("wide_and_deep", quick=False)
    assert job.input_shapes == [(5,), (6,)]
    assert job.module.kernels(job) == [(6, 30), (30, 30), (35, 1), (30, 1)]
    assert job.weighted([1.0, 2.0]) == pytest.approx(1.1)
    wide, deep = job.inputs(np.arange(16.0).reshape(2, 8))
    np.testing.assert_array_equal(wide[1], [8, 9, 10, 11, 12])
    np.testing.assert_array_equal(deep[1], [10, 11, 12, 13, 14, 15])


def test_the_other_jobs_have_one_input_and_one_output():
    job = find_job("fashion", quick=False)
    assert job.weighted([2.0]) == 2.0
    x = np.zeros((2, 28, 28))
    assert job.inputs(x) == [x]


def test_drawn_words_are_in_the_vocabulary():
    x, y = load(find_job("attention", quick=True))
    assert (x.shape, x.dtype) == ((650, 40), np.int32)
    assert 0 <= x.min() <= x.max() < 10_000
    assert (y.shape, y.dtype) == ((650, 1), np.float32)


def records(**epochs):
    return {
        name: Record("1", [1.0], list(seconds), [0.5 if seconds else float("nan")])
        for name, seconds in epochs.items()
    }


def test_a_ratio_is_taken_within_a_round():
    measured = records(fjax=[1.0, 2.0, 3.0], jax_loop=[1.0, 1.0, 1.5])
    assert report.ratio(measured, "fjax", "jax_loop") == 2.0


def test_a_loss_that_is_off_is_flagged():
    measured = records(fjax=[1.0], jax_loop=[1.0], jax_step=[1.0])
    assert report.astray(measured) == []
    measured["jax_step"].losses = [0.6]
    measured["fjax"].losses = [float("nan")]
    assert report.astray(measured) == ["fjax", "jax_step"]


def test_the_targets_are_told_honestly():
    measured = records(fjax=[1.0], jax_loop=[0.7], jax_step=[2.0], keras_jax=[20.0])
    found = dict(
        report.targets({"california": measured}, {"fjax": [0.9, 0.6, 0.6], "jax": [0.9, 0.4, 0.4]})
    )
    assert list(found.values()) == [False, True, True, False]
    assert "1.43 x the bare" in next(iter(found))
    assert "+0.20 s" in list(found)[-1]


def test_wide_and_deep_has_the_targets_of_a_small_network():
    measured = records(fjax=[1.0], jax_loop=[0.8], keras_jax=[24.0])
    found = dict(report.targets({"wide_and_deep": measured}, {}))
    assert list(found.values()) == [True, True, True]
    assert "24.0 times Keras on JAX's step rate" in list(found)[1]
    assert "the bare `fori_loop` reaches 30.0" in list(found)[1]


def test_attention_is_held_to_its_nearest_peer():
    measured = records(fjax=[1.0], jax_loop=[1.0], jax_step=[1.4], torch_loader=[3.0])
    found = dict(report.targets({"attention": measured}, {}))
    assert list(found.values()) == [False]
    assert "1.5 times faster than every peer, the nearest, JAX, hand-jitted step" in next(
        iter(found)
    )


def test_the_page_keeps_what_stands_around_the_tables(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write("new", page)
    report.write("newer", page)
    assert page.read_text() == f"before\n{report.BEGIN}\n\nnewer\n\n{report.END}\nafter\n"


def test_a_page_without_markers_is_left_alone(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{report.BEGIN}\nafter\n")
    with pytest.raises(ValueError, match="must hold the line"):
        report.write("new", page)
    assert page.read_text() == f"before\n{report.BEGIN}\nafter\n"


def test_the_page_names_every_job():
    usage = report.PAGE.read_text().partition("--quick")[0]
    assert all(name in usage for name in RUNS)


def test_writing_needs_the_full_jobs(capsys):
    with pytest.raises(SystemExit):
        main(["--quick", "--write"])
    assert "--write needs all jobs" in capsys.readouterr().err


def test_a_quick_job_ends_in_a_smaller_batch():
    assert find_job("fashion", quick=True).rows % 32
