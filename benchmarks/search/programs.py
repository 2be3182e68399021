"""The programs that are timed: functions `prepare(x, y, sizes)` that return what is timed."""

from benchmarks.contestants import Contestant

KERAS = {"KERAS_BACKEND": "jax"}

SEARCHES = {
    "fjax": Contestant("`fjax.search`", "searches:in_one_program", "fjax", ("sklearn",)),
    "wrapper": Contestant(
        "scikit-learn's search over `fjax.wrappers`", "searches:fit_by_fit", "fjax", ("sklearn",)
    ),
    "keras": Contestant(
        "scikit-learn's search over Keras on JAX, by SciKeras", "searches:of_keras", "keras",
        ("sklearn", "keras", "scikeras"), KERAS,
    ),
    "sklearn": Contestant(
        "scikit-learn's search over its `MLPRegressor`", "searches:of_scikit_learn", "sklearn",
        ("sklearn",),
    ),
}  # fmt: skip

SEEDS = {
    "replicas": Contestant("`fit(replicas=…)`", "seeds:side_by_side", "fjax"),
    "fits": Contestant("`fit`, one after another", "seeds:one_after_another", "fjax"),
}

PROGRAMS = {"search": SEARCHES, "replicas": SEEDS}
