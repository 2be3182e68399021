"""Properties of all losses, and of single ones."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fjax import losses
from fjax.losses.loss import Loss, PairedLoss

CLASSES = sorted(
    name
    for name in dir(losses)
    if isinstance(getattr(losses, name), type)
    and name not in ("Loss", "FunctionLoss", "LossFunctionWrapper")
)


WITH_INTEGER_LABELS = {
    "SparseCategoricalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "Circle",
}
# The loss of a batch is not the mean over its samples.
WITHOUT_SAMPLE_LOSSES = {"Circle", "Dice", "Tversky"}


def sample(name, rows=6):
    """Return targets and predictions for a loss."""
    random = np.random.default_rng(0)
    y_pred = random.dirichlet(np.ones(3), rows).astype(np.float32)
    labels = random.integers(0, 3, rows)
    if name == "CTC":
        return np.tile([1, 1, 0], (rows, 1)), random.normal(size=(rows, 5, 3)).astype(np.float32)
    return (labels if name in WITH_INTEGER_LABELS else np.eye(3)[labels]), y_pred


@pytest.mark.parametrize("name", CLASSES)
class TestEveryLoss:
    def test_is_pure_under_jit_vmap_and_eval_shape(self, name):
        loss = getattr(losses, name)()
        y_true, y_pred = sample(name)
        eager = loss(y_true, y_pred)
        np.testing.assert_allclose(jax.jit(loss)(y_true, y_pred), eager, rtol=1e-6)
        if name in WITHOUT_SAMPLE_LOSSES:
            batches = jax.vmap(loss)(jnp.stack([y_true] * 2), jnp.stack([y_pred] * 2))
            np.testing.assert_allclose(batches, [eager] * 2, rtol=1e-5)
        else:
            one_by_one = jax.vmap(lambda t, p: loss(t[None], p[None]))(y_true, y_pred)
            np.testing.assert_allclose(jnp.mean(one_by_one), eager, rtol=1e-5)
        assert jax.eval_shape(loss, y_true, y_pred).shape == ()

    def test_has_finite_gradients(self, name):
        loss = getattr(losses, name)()
        y_true, y_pred = sample(name)
        assert np.isfinite(jax.grad(loss, argnums=1)(y_true, y_pred)).all()

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
    def test_computes_half_precision_in_float32(self, name, dtype):
        loss = getattr(losses, name)()
        y_true, y_pred = sample(name)
        half = jnp.asarray(y_pred, dtype)
        value = loss(y_true, half)
        assert value.dtype == jnp.float32
        np.testing.assert_allclose(value, loss(y_true, half.astype("float32")), rtol=1e-6)
        assert jax.grad(loss, argnums=1)(y_true, half).dtype == dtype

    @pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
    def test_accepts_integer_targets(self, name, dtype):
        loss = getattr(losses, name)()
        y_true, y_pred = sample(name)
        if name in WITH_INTEGER_LABELS:
            y_true = np.minimum(y_true, 1)
        expected = loss(y_true.astype(np.float32), y_pred)
        np.testing.assert_array_equal(loss(y_true.astype(dtype), y_pred), expected)

    def test_does_not_broadcast_targets_against_predictions(self, name):
        loss = getattr(losses, name)()
        wide, narrow = np.ones((32, 3), np.float32), np.ones((32, 1), np.float32)
        if name in WITH_INTEGER_LABELS or name == "CTC":
            with pytest.raises(ValueError, match=r"\(32, 3\).*\(32, 3\)"):
                loss(wide, wide)
            return
        for y_true, y_pred in ((wide, narrow), (narrow, wide), (wide, np.ones((32, 2)))):
            with pytest.raises(ValueError, match=r"y_true of shape \(32, ") as caught:
                loss(y_true, y_pred)
            assert str(y_true.shape) in str(caught.value)
            assert str(y_pred.shape) in str(caught.value)

    def test_losses_of_equal_configuration_are_equal(self, name):
        cls = getattr(losses, name)
        assert cls() == cls()
        assert hash(cls()) == hash(cls())
        assert cls() != cls(reduction="sum")
        assert repr(cls()) == f"{name}()"
        assert cls.from_config(cls(reduction="sum").get_config()) == cls(reduction="sum")

    def test_raises_for_a_misspelled_argument_and_a_wrong_reduction(self, name):
        cls = getattr(losses, name)
        with pytest.raises(TypeError, match=f"`{name}` takes no argument `reductoin`"):
            cls(reductoin="sum")
        with pytest.raises(ValueError, match=f"`{name}`: `reduction` must be one of"):
            cls(reduction="average")
        with pytest.raises(TypeError, match="`name` must be a string"):
            cls(name=3)

    def test_accepts_its_own_targets(self, name):
        y_true, y_pred = sample(name)
        getattr(losses, name)().check_targets(y_true, (None, *y_pred.shape[1:]))

    def test_raises_for_targets_that_are_strings(self, name):
        with pytest.raises(ValueError, match=r"y must hold numbers.*numpy.unique"):
            getattr(losses, name)().check_targets(np.array(["cat", "dog", "cat"]), (None, 3))


@pytest.mark.short
def test_a_weight_of_a_sample_weights_all_its_steps():
    y_true, y_pred = np.zeros((2, 3, 1)), np.arange(6.0).reshape(2, 3, 1)
    weighted = losses.MeanSquaredError(reduction="none")(y_true, y_pred, [1.0, 2.0])
    np.testing.assert_allclose(weighted, [[0, 1, 4], [18, 32, 50]])
    # Also if there are as many steps as samples.
    square = losses.MeanSquaredError(reduction="none")(
        np.zeros((2, 2, 1)), np.ones((2, 2, 1)), [1.0, 2.0]
    )
    np.testing.assert_allclose(square, [[1, 1], [2, 2]])


@pytest.mark.parametrize("weights", [(5,), (1,), (4, 2), (4, 1, 1)])
def test_weights_of_another_shape_raise(weights):
    with pytest.raises(ValueError, match=r"`MeanSquaredError`: sample_weight of shape"):
        losses.MeanSquaredError()(np.ones((4, 3)), np.ones((4, 3)), np.ones(weights))


def test_one_value_for_the_whole_batch_cannot_be_weighted():
    with pytest.raises(ValueError, match="one value for the whole batch"):
        losses.MeanSquaredError()(np.ones(4), np.ones(4), np.ones(4))


def test_the_loss_is_0_if_all_labels_are_ignored():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    value, gradient = jax.value_and_grad(lambda p: loss(np.full(4, -1), p))(jnp.zeros((4, 3)))
    assert value == 0
    assert np.all(gradient == 0)


def test_classes_may_be_on_another_axis():
    labels = np.array([[0, 2], [1, 1]])
    scores = np.random.default_rng(0).normal(size=(2, 3, 2)).astype(np.float32)
    value = losses.sparse_categorical_crossentropy(labels, scores, from_logits=True, axis=1)
    expected = losses.sparse_categorical_crossentropy(
        labels, scores.swapaxes(1, 2), from_logits=True
    )
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_smoothing_spreads_over_the_classes_along_the_axis():
    rows = np.eye(3)[[0, 2]]
    scores = np.random.default_rng(0).dirichlet(np.ones(3), (4, 2))
    labels = np.broadcast_to(rows, scores.shape)
    last = losses.categorical_crossentropy(labels, scores, label_smoothing=0.3)
    middle = losses.categorical_crossentropy(
        labels.swapaxes(1, 2), scores.swapaxes(1, 2), label_smoothing=0.3, axis=1
    )
    np.testing.assert_allclose(last, middle, rtol=1e-6)


@pytest.mark.short
def test_a_custom_loss_with_its_own_init():
    """As in code written for Keras: attributes are set after `super().__init__()`."""

    class HuberLoss(Loss):
        def __init__(self, threshold=1.0, **kwargs):
            super().__init__(**kwargs)
            self.threshold = threshold

        def call(self, y_true, y_pred):
            error = y_true - y_pred
            small = jnp.abs(error) < self.threshold
            linear = self.threshold * jnp.abs(error) - self.threshold**2 / 2
            return jnp.where(small, jnp.square(error) / 2, linear)

        def get_config(self):
            return {**super().get_config(), "threshold": self.threshold}

    loss = HuberLoss(2.0, name="mine")
    y_true, y_pred = np.array([0, 1, 5]), np.zeros((3, 1), np.float32)
    np.testing.assert_allclose(
        loss(y_true, y_pred, [1.0, 2.0, 0.5]), losses.Huber(2.0)(y_true, y_pred, [1.0, 2.0, 0.5])
    )
    assert loss.get_config() == {
        "reduction": "sum_over_batch_size",
        "name": "mine",
        "dtype": "float32",
        "threshold": 2.0,
    }
    assert HuberLoss.from_config(loss.get_config()).threshold == 2.0
    assert loss == loss and loss != HuberLoss(2.0)
    assert HuberLoss().name == "huber_loss"


def test_custom_losses_with_fields_are_compared_by_value():
    class Tilted(Loss):
        quantile: float = 0.5

        def call(self, y_true, y_pred):
            error = y_true - y_pred
            return jnp.mean(jnp.maximum(self.quantile * error, (self.quantile - 1) * error), -1)

    assert Tilted(0.9) == Tilted(0.9) != Tilted(0.1)
    assert Tilted(0.9, reduction="sum")([[1.0]], [[0.0]]) == pytest.approx(0.9)
    with pytest.raises(AttributeError, match="cannot be changed"):
        Tilted().quantile = 0.3


def test_a_loss_without_call_raises():
    with pytest.raises(NotImplementedError, match=r"override `call\(self, y_true, y_pred\)`"):
        Loss()([[1.0]], [[1.0]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Huber(delta=0), "`Huber`: `delta` must be a number in"),
        (lambda: losses.BinaryCrossentropy(0.1), "`from_logits` must be one of"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), "`label_smoothing` must be"),
        (lambda: losses.CategoricalCrossentropy(axis=True), "`axis` must be one integer"),
        (lambda: losses.CosineSimilarity(axis=(1, 2)), "`axis` must be one integer"),
        (lambda: losses.SparseCategoricalCrossentropy(ignore_class=0.5), "`ignore_class` must be"),
        (lambda: losses.BinaryFocalCrossentropy(alpha=2.0), "`alpha` must be a number in"),
        (lambda: losses.BinaryFocalCrossentropy(gamma=-1.0), "`gamma` must be a number in"),
        (lambda: losses.CategoricalFocalCrossentropy(alpha="high"), "`alpha` must be a number, or"),
        (lambda: losses.BinaryFocalCrossentropy(apply_class_balancing=3), "must be one of"),
    ],
)
def test_invalid_arguments_raise(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_paired_losses_are_all_with_targets_in_the_shape_of_the_predictions():
    paired = {name for name in CLASSES if issubclass(getattr(losses, name), PairedLoss)}
    assert set(CLASSES) - paired == WITH_INTEGER_LABELS | {"CTC"}


class TestOverlap:
    def test_tversky_with_the_default_weights_equals_dice(self):
        y_true, y_pred = sample("Dice")
        np.testing.assert_allclose(
            losses.Tversky(axis=[1])(y_true, y_pred), losses.Dice(axis=1)(y_true, y_pred), rtol=1e-5
        )

    def test_weights_need_the_batch_axis(self):
        y_true, y_pred = sample("Dice")
        weights = np.array([1.0, 0, 0, 0, 0, 0])
        weighted = losses.Dice(axis=-1, reduction="sum")(y_true, y_pred, weights)
        np.testing.assert_allclose(weighted, losses.dice(y_true, y_pred, axis=-1)[0], rtol=1e-6)
        with pytest.raises(ValueError, match="one value for the whole batch"):
            losses.Dice()(y_true, y_pred, weights)

    @pytest.mark.parametrize("axis", ["last", 1.0, [], [0.5]])
    def test_a_wrong_axis_raises(self, axis):
        with pytest.raises(ValueError, match=r"`Tversky`: `axis` must be an integer, a list of"):
            losses.Tversky(axis=axis)

    def test_from_config_returns_an_equal_loss(self):
        loss = losses.Tversky(0.3, 0.7, axis=(1, 2))
        assert losses.Tversky.from_config(loss.get_config()) == loss


class TestCircle:
    def test_samples_without_both_kinds_of_pairs_do_not_count(self):
        random = np.random.default_rng(0)
        points = random.normal(size=(6, 4)).astype(np.float32)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        labels = np.array([0, 0, 1, 1, 2, 3])
        values = losses.circle(labels, points)
        assert np.all((np.asarray(values) > 0) == [True] * 4 + [False] * 2)
        np.testing.assert_allclose(losses.Circle()(labels, points), values[:4].mean(), rtol=1e-6)
        for only_one_kind in (np.zeros(6), np.arange(6)):
            value, gradient = jax.value_and_grad(lambda p, y=only_one_kind: losses.Circle()(y, p))(
                points
            )
            assert value == 0
            assert np.all(gradient == 0)

    def test_references_of_another_length_raise(self):
        with pytest.raises(ValueError, match=r"`circle`: y_true of shape \(3,\) does not fit ref_"):
            losses.circle([0, 1], np.eye(2), [0, 1, 1], np.eye(2))


class TestCTC:
    def test_sums_over_all_alignments_of_the_labels(self):
        random = np.random.default_rng(0)
        logits = random.normal(size=(1, 4, 3)).astype(np.float32)
        probabilities = np.asarray(jax.nn.softmax(logits[0]))
        total = 0.0
        for alignment in np.ndindex(3, 3, 3, 3):
            labels = [c for i, c in enumerate(alignment) if c and (i == 0 or alignment[i - 1] != c)]
            if labels == [1, 1]:
                total += np.prod(probabilities[range(4), alignment])
        np.testing.assert_allclose(losses.ctc([[1, 1]], logits), [-np.log(total)], rtol=1e-5)

    def test_equals_optax(self):
        random = np.random.default_rng(0)
        logits = random.normal(size=(5, 9, 4)).astype(np.float32)
        labels = random.integers(1, 4, (5, 6))
        for row, length in enumerate((4, 3, 0, 1, 2)):
            labels[row, length:] = 0

        def value_and_gradient(loss):
            value, pullback = jax.vjp(loss, logits)
            return value, pullback(jnp.ones(5))

        def optax_loss(logits):
            return optax.ctc_loss(logits, np.zeros((5, 9)), labels, labels == 0)

        values = jax.jit(lambda: value_and_gradient(lambda logits: losses.ctc(labels, logits)))()
        expected = jax.jit(lambda: value_and_gradient(optax_loss))()
        for value, target in zip(values, expected, strict=True):
            np.testing.assert_allclose(value, target, rtol=1e-4, atol=1e-5)

    def test_gradients_are_finite_if_there_are_too_few_steps(self):
        value, gradient = jax.value_and_grad(lambda p: losses.CTC()([[1, 1]], p))(
            jnp.zeros((1, 2, 3))
        )
        assert value > 1e4
        assert np.isfinite(gradient).all()


@pytest.mark.short
def test_a_certain_wrong_prediction_has_a_finite_gradient():
    loss = losses.CategoricalGeneralizedCrossEntropy(q=0.7)
    y_pred = np.array([[1.0, 0.0]], np.float32)
    value, gradient = jax.value_and_grad(lambda p: loss([1], p))(y_pred)
    np.testing.assert_allclose(value, 1 / 0.7, rtol=1e-6)
    assert np.isfinite(gradient).all()
