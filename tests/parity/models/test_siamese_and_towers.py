"""Siamese networks, two-tower networks, and several tasks with named outputs."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)


@pytest.fixture(scope="module")
def pairs(mnist):
    """Return pairs of images, and whether both show the same digit."""
    x, y = mnist
    x, y = x[:384, ::2, ::2], y[:384]
    other = np.arange(len(y))
    for i in range(0, len(y), 2):
        other[i] = np.flatnonzero(y == y[i])[i % 20]
    other[1::2] = np.random.default_rng(0).permutation(len(y))[1::2]
    return [x, x[other]], (y == y[other]).astype("float32")[:, None]


def tower(keras):
    return keras.Sequential(
        [
            keras.Input((14, 14)),
            keras.layers.Flatten(),
            keras.layers.Dense(24, activation="relu"),
            keras.layers.Dense(8),
        ],
        name="tower",
    )


def distances(keras):
    """One tower for two inputs; the distance is computed by Python's operators."""
    left, right = keras.Input((14, 14), name="left"), keras.Input((14, 14), name="right")
    shared = tower(keras)
    difference = abs(shared(left) - shared(right))
    return keras.Model([left, right], keras.layers.Dense(1, activation="sigmoid")(difference))


def products(keras):
    """The cosine similarity of the tower's outputs for two inputs."""
    left, right = keras.Input((14, 14), name="left"), keras.Input((14, 14), name="right")
    shared = tower(keras)
    cosine = keras.layers.Dot(axes=1, normalize=True)([shared(left), shared(right)])
    return keras.Model(inputs=[left, right], outputs=cosine)


def shared_layer(keras):
    """A layer that is called twice."""
    left, right = keras.Input((14, 14)), keras.Input((14, 14))
    flatten, dense = keras.layers.Flatten(), keras.layers.Dense(16, activation="tanh")
    merged = keras.layers.Multiply()([dense(flatten(left)), dense(flatten(right))])
    return keras.Model([left, right], keras.layers.Dense(1, activation="sigmoid")(merged))


def binary(keras, model):
    model.compile(
        keras.optimizers.RMSprop(1e-3),
        "binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )


def contrastive(keras, model):
    """A contrastive loss of operators only, so that it is the same for both libraries."""

    def contrastive_loss(y_true, y_pred):
        far = 1.0 - y_pred
        return y_true * far**2 + (1.0 - y_true) * y_pred**2

    model.compile(keras.optimizers.SGD(0.05), contrastive_loss, metrics=["mae"])


@pytest.mark.parametrize(
    ("build", "compiled"),
    [
        (distances, binary),
        (products, contrastive),
        pytest.param(shared_layer, binary, marks=pytest.mark.slow),
    ],
)
def test_siamese(judge, pairs, build, compiled):
    judge.compare(build, compiled, *pairs)


def two_towers(keras):
    """Embeddings of users and items, whose product predicts the rating."""
    user, item = keras.Input((4,), name="user"), keras.Input((4,), name="item")
    ways = []
    for inputs in (user, item):
        hidden = keras.layers.Dense(16, activation="relu")(inputs)
        ways.append(keras.layers.Dense(6, name=f"{inputs.name}_vector")(hidden))
    near = keras.layers.Dot(axes=-1, normalize=True, name="near")(ways)
    outputs = keras.layers.Dense(1, activation="sigmoid")(near)
    return keras.Model([user, item], outputs, name="two_towers")


def test_a_recommender(judge, california):
    x, _ = california
    user, item = x[:, :4], x[:, 4:]
    fits = (user.sum(1) * item.sum(1) > 0).astype("float32")
    models = judge.compare(two_towers, binary, [user, item], fits)
    # The outputs of both towers after training.
    vectors = [
        library.Model(
            model.input, [model.get_layer(f"{side}_vector").output for side in ("user", "item")]
        )
        for library, model in zip((fjax, keras), models, strict=True)
    ]
    judge.same_outputs(*(each.predict([user, item], verbose=0) for each in vectors), 1e-3, 1e-4)


def tasks(keras):
    """Three outputs for two named inputs: a price, whether it is high, and one of four regions."""
    place, house = keras.Input((2,), name="place"), keras.Input((6,), name="house")
    merged = keras.layers.concatenate([place, house])
    shared = keras.layers.Dense(24, activation="relu")(merged)
    return keras.Model(
        inputs={"place": place, "house": house},
        outputs={
            "price": keras.layers.Dense(1, name="price")(shared),
            "high": keras.layers.Dense(1, activation="sigmoid", name="high")(shared),
            "region": keras.layers.Dense(4, activation="softmax", name="region")(shared),
        },
    )


def by_task(keras, model):
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss={
            "price": "mse",
            "high": "binary_crossentropy",
            "region": keras.losses.SparseCategoricalCrossentropy(),
        },
        loss_weights={"price": 1.0, "high": 0.5, "region": 0.2},
        metrics={"price": ["mae"], "high": ["accuracy"], "region": "accuracy"},
        weighted_metrics={"region": ["accuracy"]},
    )


@pytest.fixture(scope="module")
def named(california):
    x, y = california
    targets = {
        "price": y,
        "high": (y > 2).astype("float32"),
        "region": (2 * (x[:, 6] > 0) + (x[:, 7] > 0)).astype("int32"),
    }
    return {"place": x[:, 6:], "house": x[:, :6]}, targets


def test_tasks_by_name(judge, named):
    judge.compare(tasks, by_task, *named)


@pytest.mark.slow
def test_sample_weights_by_name(judge, named):
    x, y = named
    random = np.random.default_rng(0)
    rows = len(x["place"]) * 3 // 4
    weights = {name: random.uniform(0, 2, rows).astype("float32") for name in y}
    judge.compare(tasks, by_task, x, y, sample_weight=weights)


def test_class_weights_of_outputs_are_sample_weights(judge, named):
    """Keras has no class weights for several outputs; equal sample weights replace them."""
    x, y = named
    rows = len(x["place"]) * 3 // 4
    classes = {"high": {0: 0.5, 1: 2.0}, "region": {0: 1.0, 1: 3.0, 2: 0.25, 3: 1.5}}
    weights = {"price": np.ones(rows, "float32")}
    for name, by_class in classes.items():
        weights[name] = np.float32([by_class[int(label)] for label in y[name][:rows].ravel()])
    ours, theirs = judge.build_both(tasks)
    by_task(fjax, ours)
    by_task(keras, theirs)
    judge.same_runs(
        judge.run(ours, x, y, class_weight=classes),
        judge.run(theirs, x, y, sample_weight=weights),
    )
