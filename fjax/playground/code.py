"""The lines of Python that train exactly the network of the page."""

from collections.abc import Iterable

from fjax.playground.network import Objective
from fjax.playground.settings import OWN, Settings

LIBRARIES = ("fjax", "keras")

# Points in a line of a table.
_PER_LINE = 4


def show_code(settings: Settings, aim: Objective, epochs: int, library: str = "fjax") -> str:
    """Return a program that trains the network of some settings.

    With fjax its losses are those of the page. Keras draws other initial weights, so that the
    network, the data and the objective are the same, and the losses are similar.

    Args:
        settings: The settings.
        aim: The objective of these settings; see `fjax.playground.network.objective`.
        epochs: The number of epochs.
        library: "fjax" or "keras".

    >>> aim = Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",))
    >>> print(show_code(Settings(hidden=(4,)), aim, 50).splitlines()[0])
    import fjax as keras
    """
    is_fjax = library == "fjax"
    return "\n".join(
        [
            "import fjax as keras" if is_fjax else "import keras",
            *_data(settings),
            "",
            f"features = {_list(settings.features)}",
            "x_train, x_test = make_features(x_train, features), make_features(x_test, features)",
            "",
            *([] if is_fjax else [f"keras.utils.set_random_seed({settings.seed})"]),
            "model = keras.Sequential(",
            "    [",
            f"        keras.Input(({len(settings.features)},)),",
            *(f"        {line}," for line in _layers(settings, aim)),
            "    ],",
            *([f"    seed={settings.seed},"] if is_fjax else []),
            ")",
            "model.compile(",
            f"    optimizer={_optimizer(settings)},",
            f'    loss="{aim.loss}",',
            *([f"    metrics={_list(aim.metrics)},"] if aim.metrics else []),
            ")",
            "history = model.fit(",
            "    x_train,",
            "    y_train,",
            f"    batch_size={settings.batch_size},",
            f"    epochs={epochs},",
            "    validation_data=(x_test, y_test),",
            "    verbose=0,",
            ")",
            'print(history.history["loss"][-1], history.history["val_loss"][-1])',
            "",
        ]
    )


def _data(settings: Settings) -> list[str]:
    """Return the lines that load the points."""
    if settings.data != OWN:
        return [
            "from fjax.playground import load_data, make_features",
            "",
            "(x_train, y_train), (x_test, y_test) = load_data(",
            f'    "{settings.data}",',
            f"    noise={settings.noise},",
            f"    test_share={settings.test_share},",
            f"    seed={settings.data_seed},",
            ")",
        ]
    is_regression = settings.task == "regression"
    rows = [(x1, x2, y if is_regression else int(y)) for x1, x2, y in settings.points]
    lines = (rows[first : first + _PER_LINE] for first in range(0, len(rows), _PER_LINE))
    return [
        "import numpy as np",
        "from fjax.playground import make_features, split",
        "",
        "points = np.array(",
        "    [",
        *(f"        {', '.join(map(str, line))}," for line in lines),
        "    ]",
        ")",
        f'x, y = points[:, :2], points[:, 2].astype("{"float32" if is_regression else "int32"}")',
        "(x_train, y_train), (x_test, y_test) = split(",
        f"    x, y, test_share={settings.test_share}, seed={settings.data_seed}",
        ")",
    ]


def _layers(settings: Settings, aim: Objective) -> Iterable[str]:
    """Return the layers, each as one line."""
    end = ""
    if settings.regularization != "none":
        name = settings.regularization.upper()
        rate = settings.regularization_rate
        end = f", kernel_regularizer=keras.regularizers.{name}({rate})"
    for units in settings.hidden:
        yield f'keras.layers.Dense({units}, activation="{settings.activation}"{end})'
    activation = "" if aim.activation is None else f', activation="{aim.activation}"'
    yield f"keras.layers.Dense({aim.units}{activation}{end})"


def _optimizer(settings: Settings) -> str:
    rate = settings.learning_rate
    return {
        "sgd": f"keras.optimizers.SGD({rate})",
        "momentum": f"keras.optimizers.SGD({rate}, momentum=0.9)",
        "rmsprop": f"keras.optimizers.RMSprop({rate})",
        "adam": f"keras.optimizers.Adam({rate})",
    }[settings.optimizer]


def _list(names: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
