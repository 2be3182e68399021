"""Metrics and losses that an author writes as in Keras's guides, the same code in both."""

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax


def data(seed=0, rows=12, classes=3):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    return labels, random.dirichlet(np.ones(classes), rows).astype(np.float32)


def hits(library):
    """A metric with a sum per class, an integer count and a largest score."""

    class Hits(library.metrics.Metric):
        def __init__(self, classes=3, name="hits", **kwargs):
            super().__init__(name=name, **kwargs)
            self.classes = classes
            self.per_class = self.add_weight(
                name="per_class", shape=(classes,), initializer="zeros", dtype=self.dtype
            )
            self.rows = self.add_variable((), "zeros", dtype="int32", name="rows")
            self.largest = self.add_variable(shape=(), initializer="zeros", name="largest")

        def update_state(self, y_true, y_pred, sample_weight=None):
            right = jnp.argmax(y_pred, axis=-1) == y_true
            weights = right.astype(self.dtype)
            if sample_weight is not None:
                weights = weights * jnp.asarray(sample_weight, self.dtype)
            self.per_class.assign_add(jnp.zeros(self.classes, self.dtype).at[y_true].add(weights))
            self.rows.assign_add(y_true.shape[0])
            self.largest.assign(jnp.maximum(jnp.asarray(self.largest), jnp.max(y_pred)))

        def result(self):
            total = jnp.sum(jnp.asarray(self.per_class))
            return total / jnp.asarray(self.rows, "float32") + jnp.asarray(self.largest)

        def reset_state(self):
            self.per_class.assign(jnp.zeros(self.classes))
            self.rows.assign(0)
            self.largest.assign(0.0)

    return Hits()


def reset_by_default(library):
    """A metric whose variable begins with 1, and is reset to 0."""

    class Count(library.metrics.Metric):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.count = self.add_weight(name="count", initializer="ones")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.count.assign_add(float(len(y_true)))

        def result(self):
            return jnp.asarray(self.count)

    return Count()


def mean_of_errors(library):
    class Errors(library.metrics.Mean):
        def __init__(self, name="errors", dtype=None):
            super().__init__(name=name, dtype=dtype)

        def update_state(self, y_true, y_pred, sample_weight=None):
            errors = jnp.abs(y_true - jnp.argmax(y_pred, axis=-1))
            super().update_state(errors, sample_weight=sample_weight)

        def result(self):
            return super().result() * 100.0

    return Errors()


def mean_without_init(library):
    class Confidence(library.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(jnp.max(y_pred, axis=-1), sample_weight)

    return Confidence(name="confidence")


def accuracy_of_logits(library):
    class Flipped(library.metrics.SparseCategoricalAccuracy):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(y_true, -y_pred, sample_weight)

    return Flipped(name="flipped")


def iou_of_scores(library):
    class ScoresIoU(library.metrics.MeanIoU):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(y_true, jnp.argmax(y_pred, axis=-1), sample_weight)

    return ScoresIoU(num_classes=3, name="scores_iou")


def wrapped(library):
    def within(y_true, y_pred, k=1):
        order = jnp.argsort(-jnp.asarray(y_pred), axis=-1)[..., :k]
        return jnp.any(order == jnp.asarray(y_true)[..., None], axis=-1)

    class Within(library.metrics.MeanMetricWrapper):
        def __init__(self, k=2, name="within", dtype=None):
            super().__init__(fn=within, name=name, dtype=dtype, k=k)

    return Within()


def nested(library):
    """A metric of metrics: in an attribute and in a list."""

    class Both(library.metrics.Metric):
        def __init__(self, name="both"):
            super().__init__(name=name)
            self.right = library.metrics.SparseCategoricalAccuracy(name="right")
            self.means = [library.metrics.Mean(name="low"), library.metrics.Mean(name="high")]
            self.batches = self.add_weight(name="batches", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.right.update_state(y_true, y_pred, sample_weight)
            self.means[0].update_state(jnp.min(y_pred, axis=-1))
            self.means[1].update_state(jnp.max(y_pred, axis=-1))
            self.batches.assign_add(1.0)

        def result(self):
            return self.right.result() + self.means[1].result() - self.means[0].result()

    return Both()


pytestmark = [
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning"),
    pytest.mark.sampled(3, whole=True),
]

FACTORIES = [
    hits, reset_by_default, mean_of_errors, mean_without_init, accuracy_of_logits, iou_of_scores,
    wrapped, nested,
]  # fmt: skip
# Keras makes integers of the weights of `MeanIoU`, and adds no weights to the others.
WEIGHTED = [hits, mean_of_errors, mean_without_init, accuracy_of_logits, nested]


def close(ours, theirs):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("factory", FACTORIES)
class TestOwnMetric:
    def test_standalone(self, factory):
        ours, theirs = factory(fjax), factory(keras)
        for seed in range(3):
            for metric in (ours, theirs):
                metric.update_state(*data(seed, rows=12 - seed))
            close(ours.result(), theirs.result())
        for metric in (ours, theirs):
            metric.reset_state()
        close(ours(*data(3)), theirs(*data(3)))

    def test_weighted(self, factory):
        if factory not in WEIGHTED:
            pytest.skip("the metric of Keras does not use the weights, or rounds them")
        ours, theirs = factory(fjax), factory(keras)
        weights = np.random.default_rng(5).uniform(size=12).astype(np.float32)
        for metric in (ours, theirs):
            metric.update_state(*data(), sample_weight=weights)
        close(ours.result(), theirs.result())

    def test_variables(self, factory):
        ours, theirs = factory(fjax), factory(keras)
        for metric in (ours, theirs):
            metric.update_state(*data())
        assert [v.shape for v in ours.variables] == [v.shape for v in theirs.variables]
        if factory is not iou_of_scores:
            assert [v.name for v in ours.variables] == [v.name for v in theirs.variables]
            assert [v.dtype for v in ours.variables] == [v.dtype for v in theirs.variables]
        for our_variable, their_variable in zip(ours.variables, theirs.variables, strict=True):
            close(our_variable.numpy(), their_variable.numpy())

    def test_stateless_methods(self, factory):
        ours, theirs = factory(fjax), factory(keras)
        values = [metric.stateless_reset_state() for metric in (ours, theirs)]
        for seed in range(2):
            for i, metric in enumerate((ours, theirs)):
                update = jax.jit(metric.stateless_update_state)
                values[i] = update(values[i], *data(seed))
        close(ours.stateless_result(values[0]), theirs.stateless_result(values[1]))
        # The metric itself is as it was.
        close(ours.result(), theirs.result())

    def test_pure_functions(self, factory):
        ours, theirs = factory(fjax), factory(keras)
        batches = [data(seed) for seed in range(3)]
        stacked = tuple(np.stack(arrays) for arrays in zip(*batches, strict=True))

        @jax.jit
        def run(accumulator, stacked):
            def step(accumulator, batch):
                return ours.update(accumulator, *batch), None

            return ours.result(jax.lax.scan(step, accumulator, stacked)[0])

        theirs.reset_state()
        for batch in batches:
            theirs.update_state(*batch)
        close(run(ours.init(*batches[0]), stacked), theirs.result())
        close(ours.result(), factory(keras).result())

    def test_fit_and_evaluate(self, factory):
        logs = {}
        for library in (fjax, keras):
            random = np.random.default_rng(0)
            x = random.normal(size=(20, 4)).astype(np.float32)
            y = random.integers(0, 3, 20)
            model = library.Sequential(
                [library.layers.Input((4,)), library.layers.Dense(3, activation="softmax")]
            )
            model.set_weights([random.normal(size=(4, 3)), np.zeros(3)])
            metric = factory(library)
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=[metric])
            history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
            evaluated = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
            logs[library] = history[metric.name], evaluated[metric.name]
        for ours, theirs in zip(logs[fjax], logs[keras], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", ["Mean", "Sum", "SparseCategoricalAccuracy"])
def test_the_dtype_of_the_sums(name, dtype):
    ours, theirs = (getattr(each.metrics, name)(dtype=dtype) for each in (fjax, keras))
    values = np.random.default_rng(0).uniform(1, 2, 50).astype(np.float32)
    batch = (values,) if name in ("Mean", "Sum") else data()
    for metric in (ours, theirs):
        metric.update_state(*batch)
    assert ours.dtype == theirs.dtype == dtype
    assert [v.dtype for v in ours.variables] == [v.dtype for v in theirs.variables]
    close(ours.result(), theirs.result())


@pytest.mark.parametrize("name", ["MeanSquaredError", "Huber", "BinaryCrossentropy"])
def test_a_loss_in_half_precision(name):
    ours, theirs = (getattr(each.losses, name)(dtype="float16") for each in (fjax, keras))
    y_true, y_pred = np.array([[0.0], [1.0]]), np.array([[0.25], [0.75]])
    assert ours(y_true, y_pred).dtype == jnp.asarray(theirs(y_true, y_pred)).dtype == "float16"
    # One unit in the last place of float16.
    np.testing.assert_allclose(
        np.float32(ours(y_true, y_pred)), np.float32(theirs(y_true, y_pred)), rtol=1e-3
    )


def test_weights_that_broadcast():
    random = np.random.default_rng(0)
    y_true, y_pred = random.normal(size=(2, 4, 5, 1)).astype(np.float32)
    labels = (y_true > 0).astype(np.float32)
    scores = random.uniform(size=y_pred.shape).astype(np.float32)
    for shape in ((1, 5), (4, 1), (1, 1), (4, 5)):
        weights = random.uniform(size=shape).astype(np.float32)
        for name in ("MeanSquaredError", "MeanAbsoluteError"):
            for family in ("metrics", "losses"):
                ours, theirs = (getattr(getattr(lib, family), name)() for lib in (fjax, keras))
                close(ours(y_true, y_pred, weights), theirs(y_true, y_pred, weights))
        # Keras aligns weights of fewer axes at the right for these, so give them all axes.
        for name in ("AUC", "Precision", "TruePositives"):
            ours, theirs = (getattr(lib.metrics, name)() for lib in (fjax, keras))
            close(
                ours(labels, scores, weights[..., None]), theirs(labels, scores, weights[..., None])
            )
        ours, theirs = fjax.metrics.Mean(), keras.metrics.Mean()
        close(ours(y_true[..., 0], weights), theirs(y_true[..., 0], weights))


def test_thresholds_without_their_number():
    y_true, y_pred = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.5, 0.9], np.float32)
    for thresholds in ([0.5], [0.3, 0.55, 0.8]):
        ours, theirs = (
            lib.metrics.AUC(num_thresholds=None, thresholds=thresholds) for lib in (fjax, keras)
        )
        close(ours(y_true, y_pred), theirs(y_true, y_pred))


@pytest.mark.parametrize("name", ["Precision", "Recall"])
@pytest.mark.parametrize("options", [{"top_k": 3}, {"top_k": 1}, {"top_k": 2, "thresholds": 0.3}])
def test_the_best_classes_of_one_sample(name, options):
    ours, theirs = (getattr(lib.metrics, name)(**options) for lib in (fjax, keras))
    for y_true, y_pred in (
        ([0, 1, 1, 0, 0], [0.2, 0.1, 0.6, 0.0, 0.2]),
        ([1, 1, 0, 0, 1], [0.9, 0.8, 0.7, 0.1, 0.3]),
    ):
        close(
            ours(np.float32(y_true), np.float32(y_pred)),
            theirs(np.float32(y_true), np.float32(y_pred)),
        )


@pytest.mark.parametrize("name", ["kl_divergence", "mean_squared_error", "mean_absolute_error"])
@pytest.mark.parametrize("shape", [(6,), (6, 4)])
def test_a_number_as_target(name, shape):
    y_pred = np.random.default_rng(0).uniform(0.1, 0.9, shape).astype(np.float32)
    ours, theirs = (getattr(lib.losses, name) for lib in (fjax, keras))
    close(ours(0.4, y_pred), theirs(0.4, y_pred))
    close(ours(y_pred, 0.4), theirs(y_pred, 0.4))


def own_loss(library):
    class Quantile(library.losses.Loss):
        def __init__(self, quantile=0.5, reduction="sum_over_batch_size", name="quantile"):
            super().__init__(reduction=reduction, name=name)
            self.quantile = quantile

        def call(self, y_true, y_pred):
            error = y_true - y_pred
            return jnp.mean(jnp.maximum(self.quantile * error, (self.quantile - 1) * error), -1)

    return Quantile


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none", None])
def test_an_own_loss(reduction):
    random = np.random.default_rng(0)
    y_true, y_pred = random.normal(size=(2, 6, 3)).astype(np.float32)
    weights = random.uniform(size=6).astype(np.float32)
    ours, theirs = (own_loss(lib)(0.9, reduction=reduction) for lib in (fjax, keras))
    close(ours(y_true, y_pred), theirs(y_true, y_pred))
    close(ours(y_true, y_pred, weights), theirs(y_true, y_pred, weights))
    assert (ours.name, ours.reduction, ours.dtype) == (theirs.name, theirs.reduction, theirs.dtype)


@pytest.mark.parametrize("family", ["losses", "metrics"])
def test_serialize_and_deserialize(family):
    y_true, y_pred = np.array([[0.0], [1.0]]), np.array([[0.3], [0.6]])

    def functions(library):
        return (getattr(getattr(library, family), f) for f in ("serialize", "deserialize", "get"))

    (ours, our_from, our_get), (theirs, their_from, their_get) = map(functions, (fjax, keras))
    # Keras's metrics do not take the functions that they serialize.
    functions_too = ["mean_squared_error"] if family == "losses" else []
    for name in ("BinaryCrossentropy", "MeanSquaredError", *functions_too):
        configs = []
        for library, serialize in ((fjax, ours), (keras, theirs)):
            thing = getattr(getattr(library, family), name)
            configs.append(serialize(thing(name="mine") if inspect.isclass(thing) else thing))
        assert configs[0]["class_name"] == configs[1]["class_name"]
        close(our_from(configs[0])(y_true, y_pred), their_from(configs[1])(y_true, y_pred))
        close(our_get(configs[0])(y_true, y_pred), their_get(configs[1])(y_true, y_pred))


def test_a_custom_loop():
    """The loop of Keras's guide for JAX: metrics whose variables travel through the step."""
    random = np.random.default_rng(0)
    batches = [data(seed) for seed in range(4)]
    weights = [random.uniform(size=12).astype(np.float32) for _ in batches]
    results = []
    for library in (fjax, keras):
        accuracy, loss = library.metrics.SparseCategoricalAccuracy(), library.metrics.Mean()

        @jax.jit
        def step(variables, y, p, w, accuracy=accuracy, loss=loss):
            count = len(accuracy.variables)
            return [
                *accuracy.stateless_update_state(variables[:count], y, p),
                *loss.stateless_update_state(variables[count:], jnp.max(p, -1), sample_weight=w),
            ]

        variables = [v.value for v in (*accuracy.variables, *loss.variables)]
        for (y, p), w in zip(batches, weights, strict=True):
            variables = step(variables, y, p, w)
        for variable, value in zip((*accuracy.variables, *loss.variables), variables, strict=True):
            variable.assign(value)
        results.append((float(accuracy.result()), float(loss.result())))
    close(*results)
