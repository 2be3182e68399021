"""All metrics compared with those of Keras on its JAX backend, over several updates."""

import inspect
from types import ModuleType

import keras
import numpy as np
import pytest

from fjax import metrics
from fjax.registry import Registry
from tests.parity.metric_cases import CASES, FUNCTIONS, WIDE

NAMES_OF_OUR_OWN = {"FunctionMetric", "log_name", "resolve"}
# For arrays of one axis these return the mean over the batch, which cannot be weighted.
SCALAR_WITHOUT_COLUMN = {
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "LogCoshError",
    "CosineSimilarity",
    "Poisson",
    "Hinge",
    "SquaredHinge",
    "BinaryCrossentropy",
}
MATRIX_WEIGHTS = {
    "Accuracy",
    "BinaryAccuracy",
    "RootMeanSquaredError",
    "AUC",
    "Precision",
    "Recall",
}
# Correlations over the batch have no value for each sample.
UNWEIGHTED = {"PearsonCorrelation", "ConcordanceCorrelation"}

FLAT = [
    pytest.param(name, data, shape, options, id=f"{name}-{data.__name__}-{shape}-{i}")
    for name, cases in CASES.items()
    for i, (data, shapes, options) in enumerate(cases)
    for shape in shapes
]


def batches(data, shape):
    """Yield two batches of different sizes."""
    for seed, size in ((0, shape[0]), (1, shape[0] - 2)):
        y_true, y_pred = data(np.random.default_rng(seed), (size, *shape[1:]))
        yield y_true, y_pred.astype(np.float32) if y_pred.dtype.kind == "f" else y_pred


def weights_for(name, shape, size):
    """Yield None, and weights per sample or per element as far as Keras accepts them."""
    random = np.random.default_rng(7)
    yield None
    if name in UNWEIGHTED:
        return
    if name in SCALAR_WITHOUT_COLUMN and len(shape) == 1:
        return
    per_sample = random.uniform(0, 2, size).astype(np.float32)
    if "IoU" in name:
        if len(shape) == 1:
            yield random.integers(0, 3, size)
        return
    if name == "SparseCategoricalCrossentropy":
        yield random.uniform(0, 2, (size, *shape[1:-1])).astype(np.float32)
        return
    if len(shape) == 3 and name in MATRIX_WEIGHTS | set(CONFUSION):
        yield random.uniform(0, 2, (size, *shape[1:])).astype(np.float32)
        return
    yield per_sample


CONFUSION = ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")


def close(ours, theirs, rtol=2e-6, atol=1e-6):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def test_every_public_name_is_compared():
    listed = set(CASES) | set(FUNCTIONS) | {"Mean", "MeanMetricWrapper", "Sum", "Metric", "get"}
    listed |= {"deserialize", "serialize"}
    ours = {
        name
        for name, member in vars(metrics).items()
        if not name.startswith("_") and not isinstance(member, ModuleType | Registry)
    }
    assert ours - NAMES_OF_OUR_OWN == listed
    public = {name for name in dir(keras.metrics) if not name.startswith("_")}
    assert public == listed


# Keras computes these as a difference, which for a count of 0 has a rounding error.
ROUNDING = {"TrueNegatives": 1e-5, "FalseNegatives": 1e-5}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "data", "shape", "options"), FLAT)
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning")
def test_metric(name, data, shape, options):
    weight_lists = [list(weights_for(name, shape, len(b[1]))) for b in batches(data, shape)]
    for choice in range(len(weight_lists[0])):
        ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
        for (y_true, y_pred), weights in zip(batches(data, shape), weight_lists, strict=True):
            weight = weights[choice]
            if weight is not None and weight.ndim > 1 and "class_id" in options:
                continue  # Keras does not accept weights per element here.
            ours.update_state(y_true, y_pred, weight)
            theirs.update_state(y_true, y_pred, sample_weight=weight)
            close(ours.result(), theirs.result(), atol=ROUNDING.get(name, 1e-6))
        assert ours.name == theirs.name or theirs.name.startswith(ours.name + "_")


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("shape", WIDE)
def test_function(name, shape):
    data, options = FUNCTIONS[name]
    y_true, y_pred = next(batches(data, shape))
    theirs = getattr(keras.metrics, name)(y_true, y_pred, **options)
    close(getattr(metrics, name)(y_true, y_pred, **options), theirs)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("shape", [(), (9,), (9, 4)])
@pytest.mark.parametrize("weighted", [None, "scalar", "samples", "elements"])
def test_reduction(name, shape, weighted):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        values = random.normal(size=shape).astype(np.float32)
        weight = {
            None: None,
            "scalar": np.float32(random.uniform()),
            "samples": random.uniform(size=shape[:1]).astype(np.float32),
            "elements": random.uniform(size=shape).astype(np.float32),
        }[weighted]
        close(ours(values, weight), theirs(values, weight))


@pytest.mark.parametrize("name", sorted({*CASES, "Mean", "Sum"}))
def test_arguments_equal_those_of_keras(name):
    ours = inspect.signature(getattr(metrics, name)).parameters
    theirs = inspect.signature(getattr(keras.metrics, name)).parameters

    def defaults(parameters):
        # A `dtype` of None means float32 in Keras.
        named = {key: value.default for key, value in parameters.items() if key != "name"}
        return named | {"dtype": named["dtype"] or "float32"}

    assert defaults(ours) == defaults(theirs)
    assert next(iter(ours)) == next(iter(theirs)), "the first argument by position"


STRINGS = ["accuracy", "acc", "Accuracy", "mae", "MSE", "mse", "bce", "AUC", "auc", "precision"]


@pytest.mark.parametrize("identifier", STRINGS)
@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ((8,), (8, 1)),
        ((8, 1), (8, 1)),
        ((8,), (8, 3)),
        ((8, 1), (8, 3)),
        ((8, 3), (8, 3)),
        ((8, 5), (8, 5, 3)),
        ((8, 5, 1), (8, 5, 3)),
        ((8, 5, 3), (8, 5, 3)),
        ((8, 5), (8, 5, 1)),
    ],
)
def test_resolve(identifier, y_true, y_pred):
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric(identifier, np.zeros(y_true), np.zeros(y_pred))
    ours = metrics.resolve(identifier, y_true, y_pred)
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)
    assert ours.name == metrics.log_name(identifier)


def test_resolve_of_functions_and_objects():
    from keras.src.trainers.compile_utils import get_metric

    def root_error(y_true, y_pred):
        return abs(y_true - y_pred) ** 0.5

    random = np.random.default_rng(0)
    y_true, y_pred = random.normal(size=(8, 2)), random.normal(size=(8, 2))
    theirs = get_metric(root_error, y_true, y_pred)
    ours = metrics.resolve(root_error, y_true.shape, y_pred.shape)
    close(ours(y_true, y_pred), theirs(y_true, y_pred))
    assert ours.name == theirs.name == metrics.log_name(root_error) == "root_error"
    for their_metric, our_metric in (
        (keras.metrics.AUC, metrics.AUC),
        (keras.metrics.Mean(name="loss"), metrics.Mean("loss")),
        (keras.losses.mean_squared_error, metrics.mean_squared_error),
    ):
        expected = get_metric(their_metric, y_true, y_pred).name
        # Keras appends a counter to names that are used repeatedly.
        assert expected.rstrip("_0123456789") == metrics.log_name(our_metric)
