"""Each example runs, with arguments that make it short."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

import fjax

EXAMPLES = Path(__file__).parents[2] / "examples"


def needs(file):
    """Skip a test without the data on this machine: tests download nothing."""
    path = Path(os.environ.get("FJAX_DATA", "")) / file
    return pytest.mark.skipif(
        not path.is_file(), reason=f"the folder that FJAX_DATA names has no {file}"
    )


def needs_package(name):
    """Skip a test without a package that no extra of fjax installs."""
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"{name} is not installed")


def load(name):
    """Import an example, which runs nothing before `main`."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digits(folder):
    picture = folder / "learning_curve.png"
    accuracy = load("digits").main(epochs=2, picture=str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 0.6 < accuracy <= 1.0


def resume(folder):
    program = load("resume").main
    program(epochs=2, folder=str(folder / "interrupted"))
    interrupted = program(epochs=4, folder=str(folder / "interrupted"))
    assert program(epochs=4, folder=str(folder / "uninterrupted")) == interrupted


def image_folder(folder):
    assert 0.3 < load("image_folder").main(epochs=3, folder=str(folder / "pictures")) <= 1.0


def early_stopping(folder):
    accuracy = load("early_stopping").main(table=str(folder / "table.csv"))
    rows = (folder / "table.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,accuracy,learning_rate,loss,val_accuracy")
    assert 0.9 < accuracy <= 1.0 and 20 < len(rows) < 150


def fashion_mnist(folder):
    assert 0.2 < load("fashion_mnist").main(epochs=1, rows=3600) <= 1.0


def mnist_cnn(folder):
    assert 0.8 < load("mnist_cnn").main(epochs=1, rows=6000) <= 1.0


def california_housing(folder):
    assert 0.4 < load("california_housing").main(epochs=2) <= 1.0


def pure_functions(folder):
    assert 0.8 < load("pure_functions").main(epochs=2) <= 1.0


def wide_and_deep(folder):
    assert 30_000 < load("wide_and_deep").main(epochs=1) < 100_000


def siamese(folder):
    assert 0.6 < load("siamese").main(epochs=1, rows=6000) <= 1.0


def autoencoder(folder):
    picture = folder / "reconstructions.png"
    error = load("autoencoder").main(epochs=1, rows=6000, picture=str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 0.0 < error < 0.08


def transfer_learning(folder):
    assert 0.8 < load("transfer_learning").main(epochs=1, rows=6000) <= 1.0


def fine_tuning(folder):
    base = fjax.applications.MobileNetV2((32, 32, 3), 0.35, False, None, pooling="avg", name="m")
    base.save_weights(folder / "weights")
    accuracy = load("fine_tuning").main(str(folder / "weights"), epochs=2, rows=64, size=32)
    assert 0.4 <= accuracy <= 1.0


def multi_task(folder):
    logs = load("multi_task").main(epochs=1)
    assert logs["dear_auc"] > 0.7 and logs["income_accuracy"] > 0.4


def gan(folder):
    picture = folder / "samples.png"
    # The distance of noise is 0.9, that of other digits 0.3.
    assert load("gan").main(epochs=100, picture=str(picture)) < 0.5
    assert picture.read_bytes().startswith(b"\x89PNG")


def contrastive(folder):
    assert 0.75 < load("contrastive").main(epochs=30) <= 1.0


def research(folder):
    assert 0.93 < load("research").main(epochs=10, meta_steps=200) <= 1.0


def movie_reviews(folder):
    accuracy = load("movie_reviews").main(epochs=5, rows=3000, words=5000)
    ours = [accuracy["word embeddings"], accuracy["bags of words"]]
    # Logistic regression on the same bags of words is the reference.
    assert min(ours) > accuracy["logistic regression"] - 0.04
    assert 0.6 < min(ours) <= max(ours) <= 1.0


def learning_rate(folder):
    assert 0.85 < load("learning_rate").main(epochs=5, folder=str(folder)) <= 1.0
    for picture in ("sweep.png", "curves.png", "confusion_matrix.png"):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")


def ensemble(folder):
    picture = folder / "ensemble.png"
    results = load("ensemble").main(epochs=200, replicas=8, picture=str(picture))
    assert picture.stat().st_size > 10_000
    assert results["unseen"] > 1.5 * results["seen"]


def perceptron(folder):
    picture = folder / "perceptron.png"
    results = load("perceptron").main(epochs=6, picture=str(picture))
    assert results["fjax"] == results["scikit-learn"]
    assert results["fjax"][-1] == 1.0
    assert picture.read_bytes().startswith(b"\x89PNG")


def optuna_search(folder):
    study, accuracy = load("optuna_search").main(trials=8, epochs=4)
    states = [trial.state.name for trial in study.trials]
    assert len(states) == 8 and set(states) == {"COMPLETE", "PRUNED"}
    # A pruned trial has fewer epochs than the others, and is not the best.
    assert all((len(t.intermediate_values) < 4) == (t.state.name == "PRUNED") for t in study.trials)
    assert study.best_trial.state.name == "COMPLETE"
    assert 0.85 < accuracy <= 1.0


def keras_tuner_search(folder):
    tuner, accuracy = load("keras_tuner_search").main(epochs=3, hyperband=True, folder=str(folder))
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    # The trials of the second round continue those of the first one.
    assert any("tuner/trial_id" in trial.hyperparameters.values for trial in trials)
    best = tuner.oracle.get_best_trials()[0]
    assert best.score == max(trial.score for trial in trials) > 0.8
    assert 0.8 < accuracy <= 1.0


def hyperopt_search(folder):
    trials, accuracy = load("hyperopt_search").main(trials=4, epochs=3)
    assert len(trials.losses()) == 4 and 0.3 < accuracy <= 1.0


def ray_search(folder):
    results = load("ray_search").main(trials=2, epochs=2, folder=str(folder))
    assert len(results) == 2 and not results.errors
    print("tested")


def gpt(folder):
    (folder / "text.txt").write_text("to be or not to be, that is the question. " * 150)
    tiny = {"length": 16, "width": 16, "depth": 2, "heads": 2, "batch_size": 16, "count": 20}
    program = load("gpt").main
    logs = program(str(folder / "text.txt"), "data", "mixed_bfloat16", True, 4, **tiny)
    # Below the entropy of single letters, which is 2.0 nats.
    assert logs["val_loss"][-1] < logs["val_loss"][0] and logs["val_loss"][-1] < 2.0
    program(str(folder / "text.txt"), "data", report=True, **tiny)


def trial_folder(folder):
    results = load("trial_folder").main(epochs=2, folder=str(folder))
    assert len(results) == 4
    for name, result in results.items():
        assert json.loads((folder / name / "result.json").read_text()) == result


def k_fold(folder):
    error = load("k_fold").main(epochs=5, folds=3, folder=str(folder))
    for name in ("k_fold.png", "k_fold_sweep.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert 30 < error < 70


def random_search(folder):
    picture = folder / "random_search.png"
    search = load("random_search").main(3, 2, 5, rows=3000, picture=str(picture))
    assert len(search.cv_results_["params"]) == 3 and search.n_splits_ == 2
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) > 0.0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.sampled(3, name="^")
@pytest.mark.parametrize(
    "example",
    [
        digits,
        resume,
        image_folder,
        early_stopping,
        pytest.param(fashion_mnist, marks=needs("fashion_mnist.npz")),
        pytest.param(mnist_cnn, marks=needs("mnist.npz")),
        pytest.param(california_housing, marks=needs("california_housing.npz")),
        pure_functions,
        pytest.param(wide_and_deep, marks=needs("california_housing.npz")),
        pytest.param(siamese, marks=needs("mnist.npz")),
        pytest.param(autoencoder, marks=needs("fashion_mnist.npz")),
        pytest.param(transfer_learning, marks=needs("fashion_mnist.npz")),
        pytest.param(multi_task, marks=needs("california_housing.npz")),
        gan,
        contrastive,
        research,
        pytest.param(movie_reviews, marks=needs("movie_reviews.tsv")),
        learning_rate,
        perceptron,
        ensemble,
        k_fold,
        optuna_search,
        pytest.param(keras_tuner_search, marks=needs_package("keras_tuner")),
        pytest.param(hyperopt_search, marks=needs_package("hyperopt")),
        pytest.param(ray_search, marks=[needs_package("ray"), pytest.mark.thorough]),
        trial_folder,
        gpt,
        pytest.param(random_search, marks=needs("california_housing.npz")),
        pytest.param(fine_tuning, marks=pytest.mark.thorough),
    ],
)
def test_example_runs(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example(tmp_path)
    assert "test" in capsys.readouterr().out


def test_every_example_is_tested():
    tested = {
        digits, resume, fashion_mnist, mnist_cnn, california_housing, pure_functions, wide_and_deep,
        siamese, autoencoder, transfer_learning, multi_task, gan, contrastive, research,
        movie_reviews, early_stopping, learning_rate, perceptron, ensemble, optuna_search,
        trial_folder, random_search, k_fold, image_folder, fine_tuning, keras_tuner_search,
        hyperopt_search, ray_search, gpt,
    }  # fmt: skip
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {example.__name__ for example in tested}
