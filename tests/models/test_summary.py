"""`Model.summary`."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.core import as_layer, serial
from fjax.layers import BatchNormalization, Dense, Dropout, Flatten, Input
from fjax.models import table


def printed(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    (text,) = texts
    return text


def rows(text):
    """Return the cells of each row of a table, with wrapped cells joined."""
    found = []
    for line in text.splitlines():
        if line[0] == "├":
            found.append(None)
        elif line[0] == "│":
            cells = [cell.strip() for cell in line.strip("│").split("│")]
            if not found or found[-1] is None:
                found[len(found) - bool(found) :] = [cells]
            else:
                found[-1] = [f"{a} {b}".strip() for a, b in zip(found[-1], cells, strict=True)]
    return found


def framed_width(text):
    """Return the width of a table, whose frame must be aligned."""
    table_lines = [line for line in text.splitlines() if line[0] in "┏┃┡│├└"]
    assert len({len(line) for line in table_lines}) == 1, text
    bars = {tuple(m.start() for m in re.finditer("[│┃]", line)) for line in table_lines} - {()}
    assert len(bars) == 1, text
    return len(table_lines[0])


def beside(*arrays):
    return jnp.concatenate(arrays, axis=-1)


def mlp():
    return fjax.Sequential(
        [Input((8, 8)), Flatten(), Dense(4, "relu"), BatchNormalization(), Dense(1)], name="mlp"
    )


def wide_and_deep():
    wide, deep = Input((5,), name="wide"), Input((6,), name="deep")
    hidden = Dense(30, "relu", name="second")(Dense(30, "relu", name="first")(deep))
    both = as_layer(beside)(wide, hidden)
    main, auxiliary = Dense(1, name="main")(both), Dense(1, name="auxiliary")(hidden)
    return fjax.Model([wide, deep], [main, auxiliary], name="wide_and_deep")


def shared():
    left, right = Input((4,), name="left"), Input((4,), name="right")
    twin = Dense(3, name="twin")
    return fjax.Model([left, right], twin(left) - twin(right), name="siamese")


def nested():
    inside = serial(Dense(3, name="down"), Dropout(0.1), name="inside")
    base = serial(inside, Dense(4, name="up"), name="base")
    inputs = Input((4,), name="start")
    model = fjax.Model(inputs, Dense(2, name="head")(base(inputs)), name="nested")
    model.get_layer("base").trainable = False
    return model


class Split(fjax.Layer):
    """A layer with two outputs."""

    def apply(self, params, state, inputs, *, key=None, training=False):
        return (inputs[:, :2], inputs[:, 2:]), state


def many_outputs():
    inputs = Input((5,), name="start")
    low, high = Split(name="split")(inputs)
    return fjax.Model(inputs, [low * 2.0, Dense(1, name="end")(high)], name="many")


class Written(fjax.Model):
    """An authored model with a skip connection and a layer that returns its input."""

    def __init__(self):
        super().__init__(name="written")
        self.first = Dense(4)
        self.drop = Dropout(0.5)
        self.last = Dense(2)
        self.unused = Dense(7)

    def call(self, inputs):
        inside = self.first(inputs)
        return self.last(jnp.tanh(inputs + self.drop(inside)) * inside)


def written():
    model = Written()
    model.build((None, 4))
    return model


GOLDENS = {
    "sequential": """
Model: "mlp"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                             ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ flatten (Flatten)                        │ (None, 64)             │             0 │
├──────────────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                            │ (None, 4)              │           260 │
├──────────────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization (BatchNormalization) │ (None, 4)              │            16 │
├──────────────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                          │ (None, 1)              │             5 │
└──────────────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 281 (1.10 KB)
 Trainable params: 273 (1.07 KB)
 Non-trainable params: 8 (32.00 B)
""",
    "wide and deep": """
Model: "wide_and_deep"
┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)         ┃ Output Shape       ┃    Param # ┃ Connected to       ┃
┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━┩
│ deep (InputLayer)    │ (None, 6)          │          0 │ -                  │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ first (Dense)        │ (None, 30)         │        210 │ deep               │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ wide (InputLayer)    │ (None, 5)          │          0 │ -                  │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ second (Dense)       │ (None, 30)         │        930 │ first              │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ beside (beside)      │ (None, 35)         │          0 │ wide,              │
│                      │                    │            │ second             │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ main (Dense)         │ (None, 1)          │         36 │ beside             │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ auxiliary (Dense)    │ (None, 1)          │         31 │ second             │
└──────────────────────┴────────────────────┴────────────┴────────────────────┘
 Total params: 1,207 (4.71 KB)
 Trainable params: 1,207 (4.71 KB)
 Non-trainable params: 0 (0.00 B)
""",
    "shared": """
Model: "siamese"
┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)         ┃ Output Shape       ┃    Param # ┃ Connected to       ┃
┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━┩
│ left (InputLayer)    │ (None, 4)          │          0 │ -                  │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ right (InputLayer)   │ (None, 4)          │          0 │ -                  │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ twin (Dense)         │ (None, 3)          │         15 │ left,              │
│                      │                    │            │ right              │
├──────────────────────┼────────────────────┼────────────┼────────────────────┤
│ subtract (Subtract)  │ (None, 3)          │          0 │ twin               │
└──────────────────────┴────────────────────┴────────────┴────────────────────┘
 Total params: 15 (60.00 B)
 Trainable params: 15 (60.00 B)
 Non-trainable params: 0 (0.00 B)
""",
    "nested, frozen": """
Model: "nested"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃ Trainable ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
│ start (InputLayer)              │ (None, 4)              │             0 │     -     │
├─────────────────────────────────┼────────────────────────┼───────────────┼───────────┤
│ base (Sequential)               │ (None, 4)              │            31 │     N     │
├─────────────────────────────────┼────────────────────────┼───────────────┼───────────┤
│    └ inside (Sequential)        │ (None, 3)              │            15 │     N     │
├─────────────────────────────────┼────────────────────────┼───────────────┼───────────┤
│       └ down (Dense)            │ (None, 3)              │            15 │     N     │
├─────────────────────────────────┼────────────────────────┼───────────────┼───────────┤
│       └ dropout (Dropout)       │ (None, 3)              │             0 │     -     │
├─────────────────────────────────┼────────────────────────┼───────────────┼───────────┤
│    └ up (Dense)                 │ (None, 4)              │            16 │     N     │
├─────────────────────────────────┼────────────────────────┼───────────────┼───────────┤
│ head (Dense)                    │ (None, 2)              │            10 │     Y     │
└─────────────────────────────────┴────────────────────────┴───────────────┴───────────┘
 Total params: 41 (164.00 B)
 Trainable params: 10 (40.00 B)
 Non-trainable params: 31 (124.00 B)
""",
    "many outputs": """
Model: "many"
┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)         ┃ Output Shape         ┃    Param # ┃ Connected to       ┃
┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━┩
│ start (InputLayer)   │ (None, 5)            │          0 │ -                  │
├──────────────────────┼──────────────────────┼────────────┼────────────────────┤
│ split (Split)        │ (None, 2), (None, 3) │          0 │ start              │
├──────────────────────┼──────────────────────┼────────────┼────────────────────┤
│ multiply (Multiply)  │ (None, 2)            │          0 │ split[0]           │
├──────────────────────┼──────────────────────┼────────────┼────────────────────┤
│ end (Dense)          │ (None, 1)            │          4 │ split[1]           │
└──────────────────────┴──────────────────────┴────────────┴────────────────────┘
 Total params: 4 (16.00 B)
 Trainable params: 4 (16.00 B)
 Non-trainable params: 0 (0.00 B)
""",
    "written": """
Model: "written"
┏━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ Layer (type)         ┃ Output Shape       ┃    Param # ┃ Connected to       ┃ Trainable ┃
┡━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
│ first (Dense)        │ (None, 4)          │         20 │ -                  │     Y     │
├──────────────────────┼────────────────────┼────────────┼────────────────────┼───────────┤
│ drop (Dropout)       │ (None, 4)          │          0 │ first              │     -     │
├──────────────────────┼────────────────────┼────────────┼────────────────────┼───────────┤
│ last (Dense)         │ (None, 2)          │         10 │ (input),           │     Y     │
│                      │                    │            │ drop,              │           │
│                      │                    │            │ first              │           │
├──────────────────────┼────────────────────┼────────────┼────────────────────┼───────────┤
│ unused (Dense)       │ ?                  │          0 │ -                  │     -     │
└──────────────────────┴────────────────────┴────────────┴────────────────────┴───────────┘
 Total params: 30 (120.00 B)
 Trainable params: 30 (120.00 B)
 Non-trainable params: 0 (0.00 B)
""",
}

EXAMPLES = {
    "sequential": (mlp, {}),
    "wide and deep": (wide_and_deep, {}),
    "shared": (shared, {}),
    "nested, frozen": (nested, {"expand_nested": True, "show_trainable": True}),
    "many outputs": (many_outputs, {}),
    "written": (written, {"show_trainable": True}),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_tables(name):
    make, options = EXAMPLES[name]
    assert printed(make(), **options) == GOLDENS[name].strip("\n")


def test_a_sequence_of_layers_has_no_column_of_connections():
    inputs = Input((4,))
    assert "Connected" not in printed(fjax.Model(inputs, Dense(2)(Dense(3)(inputs))))


@pytest.mark.parametrize("make", [mlp, wide_and_deep, nested])
@pytest.mark.parametrize("length", [64, 71, 90, 130])
def test_a_table_has_the_requested_line_length(make, length):
    text = printed(make(), line_length=length, show_trainable=True, expand_nested=True)
    assert framed_width(text) == length
    unwrapped = [[cell.replace(" ", "") for cell in row] for row in rows(text)]
    wide = rows(printed(make(), line_length=200, show_trainable=True, expand_nested=True))
    assert unwrapped == [[cell.replace(" ", "") for cell in row] for row in wide]


def test_a_line_length_that_is_too_short_raises():
    with pytest.raises(ValueError, match=r"`line_length` must be at least \d+ for these columns"):
        printed(mlp(), line_length=20)
    with pytest.raises(ValueError, match="`line_length` must be an integer of at least 1"):
        printed(mlp(), line_length=0)


def test_long_names_and_many_connections_wrap_within_the_frame():
    ends = [
        Dense(1, name=f"the_{n}th_of_the_many_towers_of_this_rather_large_example")(Input((3,)))
        for n in range(12)
    ]
    inputs = [end.node.inputs[0] for end in ends]
    model = fjax.Model(inputs, as_layer(beside)(*ends))
    text = printed(model)
    assert framed_width(text) == table.WIDTH
    last = rows(text)[-1]
    assert last[3].replace(" ", "").split(",") == [end.name for end in ends]
    assert last[1] == "(None, 12)"


def test_a_table_is_not_wider_than_the_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    for columns in (70, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        wide_and_deep().summary()
        assert framed_width(capsys.readouterr().out.rstrip("\n")) <= columns


def test_positions():
    text = printed(mlp(), line_length=101, positions=[0.5, 0.8, 1.0])
    assert framed_width(text) == 101
    bars = [match.start() for match in re.finditer("┃", text.splitlines()[2])]
    assert bars == [0, 50, 80, 100]
    for positions, message in (
        ([0.5, 1.0], "must be 3 increasing numbers up to 1, where the columns Layer"),
        ([0.5, 0.4, 1.0], "must be 3 increasing numbers"),
        ([0.5, 0.8, 1.2], "must be 3 increasing numbers"),
        ([0.5, 0.98, 1.0], r"leave \d characters of a line of 101 for the column 'Param #'"),
    ):
        with pytest.raises(ValueError, match=message):
            printed(mlp(), line_length=101, positions=positions)


def names(text):
    return [row[0].split(" ")[0] for row in rows(text)]


def test_a_range_of_layers():
    model = mlp()
    assert names(printed(model, layer_range=["dense", "batch"])) == ["dense", "batch_normalization"]
    # As in Keras, the names are regular expressions.
    assert names(printed(model, layer_range=("den", "den.*"))) == [
        "dense", "batch_normalization", "dense_1",
    ]  # fmt: skip
    assert names(printed(model, layer_range=["batch", "flatten"])) == [
        "flatten", "dense", "batch_normalization",
    ]  # fmt: skip
    whole, part = printed(model), printed(model, layer_range=["flatten", "flatten"])
    assert whole.splitlines()[-3:] == part.splitlines()[-3:]
    with pytest.raises(
        ValueError, match=r"no layer has a name like 'dnse' .* Did you mean `dense`"
    ):
        printed(model, layer_range=["dnse", "dense"])
    for wrong in (["dense"], "dense", [0, 1]):
        with pytest.raises(ValueError, match="`layer_range` must be two names of layers"):
            printed(model, layer_range=wrong)


def totals(text):
    counts = re.findall(r" (\S+) params: ([\d,]+)", text)
    return {name: int(count.replace(",", "")) for name, count in counts}


def test_frozen_layers_are_counted_before_compile():
    model = mlp()
    assert totals(printed(model)) == {"Total": 281, "Trainable": 273, "Non-trainable": 8}
    model.layers[1].trainable = False
    assert totals(printed(model)) == {"Total": 281, "Trainable": 13, "Non-trainable": 268}
    assert [row[3] for row in rows(printed(model, show_trainable=True))] == ["-", "N", "Y", "Y"]
    model.trainable = False
    assert totals(printed(model))["Trainable"] == 0
    assert [row[3] for row in rows(printed(model, show_trainable=True))] == ["-", "N", "N", "N"]


def test_the_optimizer_is_counted_after_its_first_step():
    model = fjax.Sequential([Input((3,)), Dense(1)])
    model.compile("adam", "mse")
    model.get_weights()
    assert totals(printed(model)) == {"Total": 4, "Trainable": 4, "Non-trainable": 0}
    model.fit(np.ones((4, 3)), np.ones(4), verbose=0)
    # Two means for each param, the step and the learning rate.
    after = {"Total": 14, "Trainable": 4, "Non-trainable": 0, "Optimizer": 10}
    assert totals(printed(model)) == after
    model.compile("adam", "mse")
    assert "Optimizer" not in printed(model)


def test_connections_are_followed_through_control_flow():

    class Looping(fjax.Model):
        def __init__(self):
            super().__init__()
            self.begin, self.cell, self.end = Dense(3), Dense(3), Dense(1)

        def call(self, inputs):
            first = jax.nn.relu(self.begin(inputs))
            last, _ = jax.lax.scan(lambda carry, _: (self.cell(carry), None), first, length=3)
            other = jax.lax.cond(True, lambda x: x * 2, lambda x: x, first)
            return self.end(last + other)

    model = Looping()
    model.build((None, 2))
    found = {row[0].split(" ")[0]: row[3] for row in rows(printed(model))}
    assert found["cell"] == "begin"
    assert set(found["end"].split(", ")) == {"begin", "cell"}


def test_invalid_arguments_raise():
    with pytest.raises(TypeError, match="Did you mean `expand_nested`"):
        mlp().summary(expand_nest=True)


def test_a_model_whose_input_shape_is_unknown():
    text = printed(fjax.Sequential([Dense(3), Dense(1)]))
    assert [row[1:] for row in rows(text)] == [["?", "0 (unbuilt)"]] * 2
    assert "Total params: 0 (0.00 B)" in text
