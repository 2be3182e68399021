"""Masks by position, methods of symbolic tensors, rows of categories and bars, as in Keras."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

BOTH = (keras, fjax)
X = np.arange(24, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("make", "mask"),
    [
        (lambda k: k.layers.GlobalAveragePooling1D(), np.array([[True, True, False]] * 2)),
        (lambda k: k.layers.Softmax(), X % 3 > 0),
    ],
)
def test_a_mask_may_be_the_second_argument(make, mask):
    theirs, ours = (np.asarray(make(library)(X, mask)) for library in BOTH)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    by_graph = []
    for library in BOTH:
        inputs = library.Input((3, 4))
        masks = library.Input(mask.shape[1:], dtype="bool")
        model = library.Model([inputs, masks], make(library)(inputs, masks))
        by_graph.append(model.predict([X, mask], verbose=0))
    np.testing.assert_allclose(*by_graph, rtol=1e-6)
    np.testing.assert_allclose(by_graph[1], theirs, rtol=1e-6)


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_rows_of_ids_with_three_axes(mode):
    ids = np.array([[[0, 1, 2], [1, 1, 3]], [[3, 3, 3], [0, 0, 1]]])
    for make in (
        lambda k: k.layers.CategoryEncoding(4, output_mode=mode),
        lambda k: k.layers.Discretization([1.0, 2.0, 3.0], output_mode=mode),
    ):
        theirs, ours = (np.asarray(make(library)(ids)) for library in BOTH)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x.reshape((-1, 12)),
        lambda x: x[:, :1].squeeze(1),
        lambda x: x[:, :1, :1].squeeze((1, 2)),
        lambda x: round(x / 7),
        lambda x: round(x / 7, 1),
    ],
)
def test_methods_of_symbolic_tensors(use):
    outputs = []
    for library in BOTH:
        inputs = library.Input((3, 4))
        outputs.append(library.Model(inputs, use(inputs)).predict(X, verbose=0))
    np.testing.assert_allclose(*outputs, rtol=1e-6)


@pytest.mark.parametrize(
    "averaged", [{}, {"stateful_metrics": ["loss"]}, {"stateless_metrics": ["loss"]}]
)
@pytest.mark.parametrize("target", [7, None])
def test_a_bar_shows_averages(averaged, target, capsys):
    theirs, ours = (library.utils.Progbar(target, verbose=2, **averaged) for library in BOTH)
    steps = [(2, 1.0, None), (3, 5.0, None), (6, 2.5, None), (7, 4.0, True)]
    for step, value, finalize in steps:
        for bar in (theirs, ours):
            capsys.readouterr()
            bar.update(step, [("loss", value), ("mae", 2 * value)], finalize)
        expected = {name: total / count for name, (total, count) in theirs._values.items()}
        assert ours.shown == pytest.approx(expected)
    assert "loss: 4.0000 - mae: 8.0000" in capsys.readouterr().out


def test_a_bar_counts_steps(capsys):
    for verbose in (0, 2):
        bar = fjax.utils.Progbar(2, verbose=verbose)
        bar.add(1, [("loss", 1.0)])
        bar.add(1, [("loss", 2.0)])
        out = capsys.readouterr().out
        assert ("2/2" in out and "loss: 2.0000" in out) if verbose else not out
    with pytest.raises(ValueError, match="`Progbar`: `verbose`"):
        fjax.utils.Progbar(2, verbose=3)
    with pytest.raises(ValueError, match="received both"):
        fjax.utils.Progbar(2, stateful_metrics=[], stateless_metrics=[])


def test_the_layers_of_a_graph_count_their_weights():
    counts = []
    for library in BOTH:
        inputs = library.Input((4,))
        model = library.Model(inputs, library.layers.Dense(2)(library.layers.ReLU()(inputs)))
        counts.append([layer.count_params() for layer in model.layers])
    assert counts[0] == counts[1] == [0, 0, 10]
