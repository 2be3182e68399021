"""All losses compared with those of Keras on its JAX backend."""

import inspect
from types import ModuleType

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax import losses

SHAPES = [(6,), (6, 1), (6, 4), (6, 3, 4)]
WIDE = [(6, 4), (6, 3, 4)]
NAMES_OF_OUR_OWN = {"FunctionLoss", "LossFunctionWrapper", "as_loss", "resolve"}


def numbers(random, shape):
    return random.normal(size=shape), random.normal(size=shape) * 3


def positive(random, shape):
    return random.uniform(0.1, 5, shape), random.uniform(0.1, 5, shape)


def binary(random, shape):
    return random.integers(0, 2, shape), random.uniform(0.01, 0.99, shape)


def binary_logits(random, shape):
    return random.integers(0, 2, shape), random.normal(size=shape) * 5


def signs(random, shape):
    return random.integers(0, 2, shape) * 2 - 1, random.normal(size=shape) * 2


def one_hot(random, shape):
    labels = np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])]
    return labels, random.dirichlet(np.ones(shape[-1]), shape[:-1])


def one_hot_logits(random, shape):
    return one_hot(random, shape)[0], random.normal(size=shape) * 5


def unnormalized(random, shape):
    return one_hot(random, shape)[0], random.uniform(0.1, 2, shape)


def distributions(random, shape):
    rows = np.ones(shape[-1])
    return random.dirichlet(rows, shape[:-1]), random.dirichlet(rows, shape[:-1])


def labels(random, shape):
    return random.integers(0, shape[-1], shape[:-1]), one_hot(random, shape)[1]


def labels_logits(random, shape):
    return random.integers(0, shape[-1], shape[:-1]), random.normal(size=shape) * 5


def labels_column(random, shape):
    y_true, y_pred = labels(random, shape)
    return y_true[..., None], y_pred


def embedded(random, shape):
    points = random.normal(size=shape)
    return random.integers(0, 3, shape[:1]), points / np.linalg.norm(points, axis=-1, keepdims=True)


def embedded_column(random, shape):
    y_true, y_pred = embedded(random, shape)
    return y_true[:, None], y_pred


def sequences(random, shape):
    """Return label sequences of several lengths, some with equal neighbors."""
    y_true = random.integers(1, shape[-1], (shape[0], 3))
    y_true[0], y_true[1, 1:], y_true[2] = (1, 1, 2), 0, 0
    return y_true, random.normal(size=shape) * 2


# For each function the name of its class, and the (data, shapes, options) to compare.
CASES = {
    "mean_squared_error": ("MeanSquaredError", [(numbers, SHAPES, {})]),
    "mean_absolute_error": ("MeanAbsoluteError", [(numbers, SHAPES, {})]),
    "mean_absolute_percentage_error": (
        "MeanAbsolutePercentageError",
        [(numbers, SHAPES, {}), (binary, SHAPES, {})],
    ),
    "mean_squared_logarithmic_error": (
        "MeanSquaredLogarithmicError",
        [(positive, SHAPES, {}), (numbers, SHAPES, {})],
    ),
    "huber": ("Huber", [(numbers, SHAPES, {}), (numbers, SHAPES, {"delta": 0.3})]),
    "log_cosh": ("LogCosh", [(numbers, SHAPES, {})]),
    "cosine_similarity": (
        "CosineSimilarity",
        [(numbers, SHAPES, {}), (numbers, [(6, 3, 4)], {"axis": 1})],
    ),
    "kl_divergence": ("KLDivergence", [(distributions, WIDE, {}), (binary, SHAPES, {})]),
    "poisson": ("Poisson", [(positive, SHAPES, {}), (binary, SHAPES, {})]),
    "hinge": ("Hinge", [(signs, SHAPES, {}), (binary_logits, SHAPES, {})]),
    "squared_hinge": ("SquaredHinge", [(signs, SHAPES, {}), (binary_logits, SHAPES, {})]),
    "categorical_hinge": ("CategoricalHinge", [(one_hot, WIDE, {}), (one_hot_logits, WIDE, {})]),
    "binary_crossentropy": (
        "BinaryCrossentropy",
        [
            (binary, SHAPES, {}),
            (binary, SHAPES, {"label_smoothing": 0.2}),
            (binary_logits, SHAPES, {"from_logits": True}),
            (binary_logits, SHAPES, {"from_logits": True, "label_smoothing": 0.1}),
            (binary, [(6, 3, 4)], {"axis": 1}),
        ],
    ),
    "categorical_crossentropy": (
        "CategoricalCrossentropy",
        [
            (one_hot, WIDE, {}),
            (unnormalized, WIDE, {}),
            (distributions, WIDE, {}),
            (one_hot, WIDE, {"label_smoothing": 0.2}),
            (one_hot_logits, WIDE, {"from_logits": True}),
            (one_hot_logits, WIDE, {"from_logits": True, "label_smoothing": 0.1}),
            (unnormalized, [(6, 3, 4)], {"axis": 1}),
            (one_hot_logits, [(6, 3, 4)], {"axis": 1, "from_logits": True}),
        ],
    ),
    "sparse_categorical_crossentropy": (
        "SparseCategoricalCrossentropy",
        [
            (labels, WIDE, {}),
            (labels_column, WIDE, {}),
            (labels_logits, WIDE, {"from_logits": True}),
            (labels, WIDE, {"ignore_class": 1}),
            (labels_column, WIDE, {"ignore_class": 1}),
            (labels_logits, WIDE, {"ignore_class": 0, "from_logits": True}),
            (labels, WIDE, {"ignore_class": -1}),
        ],
    ),
    "binary_focal_crossentropy": (
        "BinaryFocalCrossentropy",
        [
            (binary, SHAPES, {}),
            (binary, SHAPES, {"gamma": 1.5, "label_smoothing": 0.1}),
            (binary, SHAPES, {"apply_class_balancing": True, "alpha": 0.4}),
            (binary_logits, SHAPES, {"from_logits": True}),
            (binary, [(6, 3, 4)], {"axis": 1}),
        ],
    ),
    "categorical_focal_crossentropy": (
        "CategoricalFocalCrossentropy",
        [
            (one_hot, WIDE, {}),
            (unnormalized, WIDE, {"gamma": 3.0, "alpha": 0.5}),
            (one_hot, WIDE, {"label_smoothing": 0.2, "alpha": [0.1, 0.2, 0.3, 0.4]}),
            (one_hot_logits, WIDE, {"from_logits": True}),
            (unnormalized, [(6, 3, 4)], {"axis": 1}),
        ],
    ),
}

CASES |= {
    "categorical_generalized_cross_entropy": (
        "CategoricalGeneralizedCrossEntropy",
        [(labels, WIDE, {"q": 0.5}), (labels, WIDE, {"q": 0.9})],
    ),
    "circle": (
        "Circle",
        [
            (embedded, [(8, 4)], {}),
            (embedded_column, [(8, 4)], {"gamma": 9.0, "margin": 0.2, "remove_diagonal": False}),
        ],
    ),
    "ctc": ("CTC", [(sequences, [(6, 7, 4)], {})]),
    "dice": (
        "Dice",
        [(binary, SHAPES, {}), (binary, WIDE, {"axis": -1}), (binary, WIDE[1:], {"axis": (1, 2)})],
    ),
    "tversky": (
        "Tversky",
        [
            (binary, WIDE, {}),
            (binary, WIDE, {"alpha": 0.3, "beta": 0.9, "axis": -1}),
            (binary, WIDE[1:], {"alpha": 1.0, "axis": (1, 2)}),
        ],
    ),
}

FLAT = [
    pytest.param(function, cls, data, shape, options, id=f"{function}-{data.__name__}-{shape}-{i}")
    for function, (cls, cases) in CASES.items()
    for i, (data, shapes, options) in enumerate(cases)
    for shape in shapes
]


def make(data, shape, seed=0):
    y_true, y_pred = data(np.random.default_rng(seed), shape)
    return y_true, y_pred.astype(np.float32)


def close(ours, theirs, rtol=2e-6, atol=1e-6):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def test_every_public_name_is_compared():
    listed = set(CASES) | {cls for cls, _ in CASES.values()} | {"get", "Loss"}
    listed |= {"deserialize", "serialize"}
    ours = {
        name
        for name, member in vars(losses).items()
        if not name.startswith("_") and not isinstance(member, ModuleType)
    }
    assert ours - NAMES_OF_OUR_OWN == listed
    public = {name for name in dir(keras.losses) if not name.startswith("_")}
    assert public == listed


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("function", "cls", "data", "shape", "options"), FLAT)
def test_function(function, cls, data, shape, options):
    y_true, y_pred = make(data, shape)
    theirs = getattr(keras.losses, function)(y_true, y_pred, **options)
    close(getattr(losses, function)(y_true, y_pred, **options), theirs)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("function", "cls", "data", "shape", "options"), FLAT)
def test_class_and_gradient(function, cls, data, shape, options):
    y_true, y_pred = make(data, shape)
    our_loss = getattr(losses, cls)(**options)
    their_loss = getattr(keras.losses, cls)(**options)
    assert our_loss.name == their_loss.name

    @jax.jit
    def both(y_true, y_pred):
        return [jax.value_and_grad(loss, 1)(y_true, y_pred) for loss in (our_loss, their_loss)]

    (ours, our_gradient), (theirs, their_gradient) = both(y_true, y_pred)
    close(ours, theirs)
    close(our_gradient, their_gradient, rtol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, "scalar", "samples", "column", "steps", "zero"])
@pytest.mark.parametrize("shape", WIDE)
@pytest.mark.parametrize("ignore_class", [None, 1])
def test_reduction(reduction, weights, shape, ignore_class):
    y_true, y_pred = make(labels, shape)
    options = {"reduction": reduction, "ignore_class": ignore_class}
    random = np.random.default_rng(1)
    sample_weight = {
        None: None,
        "scalar": np.float32(0.3),
        # Keras broadcasts these weights along the wrong axis; see tests/losses.
        "samples": random.uniform(0, 2, 6) if len(shape) == 2 else None,
        "column": random.uniform(0, 2, (6, 1)),
        "steps": random.uniform(0, 2, shape[:-1]),
        "zero": np.zeros(shape[:-1]),
    }[weights]
    ours = losses.SparseCategoricalCrossentropy(**options)(y_true, y_pred, sample_weight)
    theirs = keras.losses.SparseCategoricalCrossentropy(**options)(y_true, y_pred, sample_weight)
    close(ours, theirs)


@pytest.mark.parametrize("reduction", ["mean", "none", None])
@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("weighted", [False, True])
def test_further_reductions(reduction, shape, weighted):
    y_true, y_pred = make(numbers, shape)
    sample_weight = np.random.default_rng(1).uniform(0, 2, shape[:-1]) if weighted else None
    ours = losses.MeanSquaredError(reduction=reduction)(y_true, y_pred, sample_weight)
    theirs = keras.losses.MeanSquaredError(reduction=reduction)(y_true, y_pred, sample_weight)
    close(ours, theirs)


# Their labels have another shape than the predictions, or they return one value for a batch.
OF_THEIR_OWN_SHAPE = {"circle", "ctc", "dice", "tversky"}


@pytest.mark.parametrize(
    "name",
    sorted(name for name in CASES.keys() - OF_THEIR_OWN_SHAPE if "categorical" not in name),
)
def test_trailing_axis(name):
    """Targets of shape (n,) and outputs of shape (n, 1) give one value per sample."""
    random = np.random.default_rng(0)
    y_true, y_pred = random.integers(0, 2, 6), random.uniform(0.1, 0.9, (6, 1)).astype("float32")
    cls = CASES[name][0]
    close(getattr(losses, cls)()(y_true, y_pred), getattr(keras.losses, cls)()(y_true, y_pred))
    assert getattr(losses, name)(y_true, y_pred).shape == (6,)


EXTREME = {
    "binary_crossentropy": ([[0.0], [1.0], [0.0], [1.0]], [[0.0], [1.0], [1.0], [0.0]], {}),
    "binary_focal_crossentropy": ([[0.0], [1.0], [0.0], [1.0]], [[0.0], [1.0], [1.0], [0.0]], {}),
    "categorical_crossentropy": (np.eye(2)[[0, 1, 0]], np.eye(2)[[0, 0, 1]], {}),
    "categorical_focal_crossentropy": (np.eye(2)[[0, 1, 0]], np.eye(2)[[0, 0, 1]], {}),
    "sparse_categorical_crossentropy": ([0, 1, 0], np.eye(2)[[0, 0, 1]], {}),
    "kl_divergence": (np.eye(2)[[0, 1, 0]], np.eye(2)[[0, 0, 1]], {}),
    "poisson": ([[0.0], [3.0]], [[0.0], [0.0]], {}),
    "mean_absolute_percentage_error": ([[0.0], [1e-9]], [[1.0], [0.0]], {}),
    "mean_squared_logarithmic_error": ([[0.0], [-0.5]], [[-3.0], [1e30]], {}),
    "log_cosh": ([[0.0], [0.0]], [[-1e4], [1e30]], {}),
    "cosine_similarity": ([[1.0, 2.0]], [[1e-9, 1e-9]], {}),
}
LOGITS = {
    "binary_crossentropy": ([[0.0], [1.0], [0.0], [1.0]], [[-1e4], [1e4], [1e4], [-1e4]]),
    "binary_focal_crossentropy": ([[0.0], [1.0], [0.0], [1.0]], [[-1e4], [1e4], [1e4], [-1e4]]),
    "categorical_crossentropy": (np.eye(2)[[0, 1]], [[1e4, -1e4], [1e4, -1e4]]),
    "categorical_focal_crossentropy": (np.eye(2)[[0, 1]], [[1e4, -1e4], [1e4, -1e4]]),
    "sparse_categorical_crossentropy": ([0, 1], [[1e4, -1e4], [1e4, -1e4]]),
}


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "options"),
    [(name, *case) for name, case in EXTREME.items()]
    + [(name, *case, {"from_logits": True}) for name, case in LOGITS.items()],
)
def test_extremes(name, y_true, y_pred, options):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, "float32")
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    close(ours(y_true, y_pred, **options), theirs(y_true, y_pred, **options), rtol=1e-5)

    @jax.jit
    def both(y_pred):
        return [
            jax.grad(lambda p, loss=loss: jnp.sum(loss(y_true, p, **options)))(y_pred)
            for loss in (ours, theirs)
        ]

    gradients = both(y_pred)
    assert np.isfinite(gradients[0]).all()
    close(*gradients, rtol=1e-5)


@pytest.mark.parametrize("name", ["cosine_similarity", "CosineSimilarity"])
def test_a_vector_of_zeros_has_a_finite_gradient(name):
    """Unlike in Keras, where it is NaN."""
    loss = getattr(losses, name)
    loss = loss() if inspect.isclass(loss) else loss
    gradient = jax.grad(lambda p: jnp.sum(loss(jnp.ones((1, 3)), p)))(jnp.zeros((1, 3)))
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", sorted(CASES))
def test_defaults_equal_those_of_keras(name):
    for member in (name, CASES[name][0]):
        ours = inspect.signature(getattr(losses, member)).parameters
        theirs = inspect.signature(getattr(keras.losses, member)).parameters
        expected = {key: value.default for key, value in theirs.items()}
        if "dtype" in expected:
            # A `dtype` of None means float32 in Keras.
            expected["dtype"] = "float32"
        assert {key: value.default for key, value in ours.items()} == expected


@pytest.mark.parametrize(
    "name", ["mse", "MSE", "mae", "mape", "msle", "bce", "BCE", "kld", "huber", "log_cosh"]
)
def test_get(name):
    assert losses.get(name).__name__ == keras.losses.get(name).__name__


def test_gradients_through_sigmoid_and_softmax_equal_those_of_keras():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(32, 5)).astype("float32")
    weights = random.normal(size=(5, 3)).astype("float32")
    y_true = random.integers(0, 3, 32)

    def gradients(module):
        loss = module.SparseCategoricalCrossentropy()
        binary_loss = module.BinaryCrossentropy()
        return (
            jax.grad(lambda w: loss(y_true, jax.nn.softmax(inputs @ w)))(weights),
            jax.grad(lambda w: binary_loss(np.eye(3)[y_true], jax.nn.sigmoid(inputs @ w)))(weights),
        )

    for ours, theirs in zip(gradients(losses), gradients(keras.losses), strict=True):
        close(ours, theirs, rtol=1e-6, atol=1e-7)
