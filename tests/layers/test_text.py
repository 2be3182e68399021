"""Layers on text and categories: beside recorded results of Keras's, and beside scikit-learn."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from fjax import layers
from fjax.core import output_specs
from fjax.core.text import STRING, is_text
from fjax.layers import Hashing, IntegerLookup, StringLookup, TextVectorization
from tests.layers.catalogue_text import ON_TEXT

# Keras needs TensorFlow for these layers, which the tests do without: its results are recorded.
RECORDED = json.loads((Path(__file__).parent / "text_of_keras.json").read_text("utf-8"))["cases"]
every_layer = pytest.mark.parametrize("one", ON_TEXT, ids=lambda one: one.label)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['layer']}-{case['config']}")
def test_results_are_those_of_keras(case):
    layer = getattr(layers, case["layer"])(**case["config"])
    if case["adapt"] is not None:
        layer.adapt(case["adapt"])
    if case["vocabulary"] is not None:
        assert layer.get_vocabulary() == case["vocabulary"]
    inputs = case["inputs"]
    inputs = tuple(map(np.array, inputs["several"])) if isinstance(inputs, dict) else inputs
    outputs = np.asarray(layer(inputs))
    if outputs.dtype == object:
        assert outputs.tolist() == case["outputs"]
    else:
        np.testing.assert_allclose(outputs, case["outputs"], rtol=1e-6)


def test_bags_are_those_of_sklearn():
    texts = ["the cat and the dog", "a dog", "twice twice", "the dog and a cat and a mouse"]
    judge = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    expected = judge.fit_transform(texts).toarray()
    layer = TextVectorization(output_mode="count", ngrams=2)
    layer.adapt(texts)
    columns = [layer.get_vocabulary().index(term) for term in judge.get_feature_names_out()]
    np.testing.assert_array_equal(np.asarray(layer(texts))[:, columns], expected)
    assert layer.vocabulary_size() == len(columns) + 1


@every_layer
def test_the_pair_is_the_call(one):
    params, state = one.layer.init(jax.random.key(0), *one.inputs)
    outputs, after = one.layer.apply(params, state, *one.inputs, training=True)
    assert params == state == after == {}
    np.testing.assert_array_equal(outputs, one.layer(*one.inputs))


@every_layer
def test_shapes_are_known_from_those_of_text(one):
    specs = [
        jax.ShapeDtypeStruct(value.shape, STRING if is_text(value) else value.dtype)
        for value in one.inputs
    ]
    spec, outputs = output_specs(one.layer, {}, {}, *specs), one.layer(*one.inputs)
    free = isinstance(one.layer, TextVectorization) and one.layer.output_sequence_length is None
    last = -1 if free and one.layer.output_mode == "int" else None
    assert (spec.shape[:last], spec.dtype) == (outputs.shape[:last], outputs.dtype)


@every_layer
def test_configuration_makes_the_same_layer(one):
    again = type(one.layer).from_config(json.loads(json.dumps(one.layer.get_config())))
    assert again == one.layer and hash(again) == hash(one.layer) and repr(again) == repr(one.layer)
    np.testing.assert_array_equal(again(*one.inputs), one.layer(*one.inputs))


def test_an_adapted_layer_comes_back_from_its_configuration():
    for layer, data in [
        (TextVectorization(output_mode="tf_idf", max_tokens=4), ["a b", "b c"]),
        (StringLookup(mask_token="", num_oov_indices=2), ["a", "b"]),
        (IntegerLookup(output_mode="tf_idf"), [[1, 2], [2, 3]]),
        (layers.Discretization(num_bins=3), [1.0, 2.0, 3.0, 4.0]),
    ]:
        layer.adapt(data)
        again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
        assert again == layer
        np.testing.assert_array_equal(again(data), layer(data))


def test_text_comes_as_lists_arrays_objects_bytes_and_columns():
    layer = TextVectorization(vocabulary=["good", "film"])
    expected = [[2, 3], [1, 0]]
    texts = ["Good film", "bad"]
    for given in (
        texts, np.array(texts), np.array(texts, object), np.array(texts, STRING),
        np.array(texts)[:, None],
        np.array([text.encode() for text in texts]), [[text] for text in texts],
    ):  # fmt: skip
        assert layer(given).tolist() == expected
    assert layer("film good").tolist() == [[3, 2]]
    lookup = StringLookup(vocabulary=["a"])
    assert lookup(np.array(["a", "b"], STRING)).tolist() == [1, 0]
    assert lookup(np.array([b"a", b"b"])).tolist() == [1, 0]
    assert lookup("a").item() == 1


def test_a_vocabulary_from_batches_a_file_and_with_special_terms(tmp_path):
    texts = ["a b b", "c b", "c"]
    whole, parts, two = (TextVectorization() for _ in range(3))
    whole.adapt(texts)
    parts.adapt(texts[i : i + 1] for i in range(3))
    two.adapt(iter([texts[:1], texts[1:2], texts[2:]]), steps=2)
    assert parts.get_vocabulary() == whole.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    assert two.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    file = tmp_path / "words.txt"
    file.write_text("b\nc\na\n", "utf-8")
    assert TextVectorization(vocabulary=str(file)).get_vocabulary() == whole.get_vocabulary()
    listed = TextVectorization(vocabulary=whole.get_vocabulary())
    assert listed.get_vocabulary(include_special_tokens=False) == ["b", "c", "a"]
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("12\n-3", "utf-8")
    assert IntegerLookup(vocabulary=numbers).get_vocabulary() == [-1, 12, -3]


def test_own_functions_clean_and_split():
    def shout(texts):
        assert texts.dtype.kind == "U"
        return np.char.upper(texts)

    layer = TextVectorization(
        standardize=shout,
        split=lambda texts: [text.split("|") for text in texts],
        vocabulary=["A B", "C"],
    )
    assert layer(["a b|c", "d"]).tolist() == [[2, 3], [1, 0]]
    with pytest.raises(ValueError, match=r"`standardize` must return an array of strings of shape"):
        TextVectorization(standardize=lambda texts: texts[:1], vocabulary=["a"])(["a", "b"])
    with pytest.raises(ValueError, match="`split` must return a list of terms for each of 2 texts"):
        TextVectorization(split=lambda texts: ["a"], vocabulary=["a"])(["a", "b"])


def test_every_script_is_lowered_and_split():
    layer = TextVectorization(vocabulary=["straße", "école"])
    assert layer(["ÉCOLE\u3000Straße"]).tolist() == [[3, 2]]


def test_integers_are_hashed_and_looked_up_within_programs():
    values = np.array([[3, 1, 7], [0, -2, 3]])
    for layer in (
        Hashing(11, salt=5),
        IntegerLookup(vocabulary=[3, 1]),
        IntegerLookup(vocabulary=[3, 1], num_oov_indices=4, oov_method="farmhash"),
        IntegerLookup(vocabulary=[3, 1], invert=True),
        layers.Discretization([0.0, 2.0]),
    ):
        eager = layer(values)
        np.testing.assert_array_equal(jax.jit(layer)(values), eager)
        np.testing.assert_array_equal(jax.vmap(layer)(values), eager)
        assert eager.dtype == "int32"
    crossed = layers.HashedCrossing(11)
    pair = values[:, 0], values[:, 1]
    np.testing.assert_array_equal(jax.jit(lambda a, b: crossed(a, b))(*pair), crossed(pair))


def fitted(layer, data):
    layer.adapt(data)
    return layer


NOTHING = np.zeros((0,), str)
WRONG = {
    "not adapted": (lambda: TextVectorization()(["a"]), "has no vocabulary yet: call `layer.adapt"),
    "not adapted, with a name": (lambda: StringLookup(name="city")(["a"]), "'city' has no voca"),
    "not adapted integers": (lambda: IntegerLookup()([1]), "`IntegerLookup` has no vocabulary yet"),
    "an empty vocabulary": (lambda: StringLookup(vocabulary=[]), "`vocabulary` is empty"),
    "no term in the data": (lambda: fitted(TextVectorization(), ["", "!"]), "no term to learn, of"),
    "no data": (lambda: fitted(StringLookup(), NOTHING), "the data has no term to learn"),
    "a term twice": (lambda: StringLookup(vocabulary=["a", "b", "a"]), "names terms twice: 'a'"),
    "a mask among terms": (
        lambda: StringLookup(vocabulary=["a", ""], mask_token=""), "the `mask_token` '' at pla"),
    "a large vocabulary": (
        lambda: StringLookup(max_tokens=2, vocabulary=["a", "b"]), "has 3 terms with the special"),
    "max_tokens too small": (
        lambda: TextVectorization(max_tokens=2), "`max_tokens` must be an integer of at least 3"),
    "padding to nothing": (
        lambda: TextVectorization(output_mode="count", pad_to_max_tokens=True), "needs `max_tok"),
    "a wrong mode": (lambda: TextVectorization(output_mode="one_hot"), "must be one of 'int', 'mu"),
    "a misspelt mode": (lambda: StringLookup(output_mode="multihot"), "Did you mean `multi_hot`"),
    "a misspelt split": (lambda: TextVectorization(split="white"), "Did you mean `whitespace`?"),
    "a length for bags": (
        lambda: TextVectorization(output_mode="count", output_sequence_length=3), "is for `output"),
    "weights for numbers": (
        lambda: StringLookup(vocabulary=["a"], idf_weights=[1.0]), '`output_mode="tf_idf"`'),
    "no weights": (
        lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf"), "needs `idf_weights`"),
    "other weights": (
        lambda: StringLookup(vocabulary=["a"], idf_weights=[1, 2, 3], output_mode="tf_idf"),
        "must be one number for each of 1 terms"),
    "no such file": (lambda: StringLookup(vocabulary="no.txt"), "there is no vocabulary file"),
    "a file in a description": (
        lambda: StringLookup.from_config({"vocabulary": "words.txt"}), "which only a constructor"),
    "adapted after all": (
        lambda: fitted(StringLookup(vocabulary=["a"]), ["b"]), "was given when the layer was made"),
    "out of the vocabulary": (
        lambda: StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "b"]), "found 'b'"),
    "an integer out of it": (
        lambda: IntegerLookup(vocabulary=[1], num_oov_indices=0)([1, 2]), "found 2"),
    "several texts a sample": (
        lambda: TextVectorization(vocabulary=["a"])([["a", "b"]]), "there is `split=None`"),
    "rows of rows": (
        lambda: StringLookup(vocabulary=["a"], output_mode="count")([[["a"]]]), r"\(1, 1, 1\)"),
    "lists of different lengths": (
        lambda: IntegerLookup(vocabulary=[1])([[1], [1, 2]]), "`fjax.utils.pad_sequences`"),
    "inverted rows": (lambda: StringLookup(invert=True, output_mode="count"), "needs `output_mode"),
    "large integers": (lambda: IntegerLookup(vocabulary=[1])([2**40]), "integers of 32 bits"),
    "no categories": (lambda: layers.CategoryEncoding(), "`CategoryEncoding` needs `num_tokens`"),
    "a number out of range": (
        lambda: layers.CategoryEncoding(3)([[0, 3]]), r"from 0 to 2 .*found 3 at \(0, 1\)"),
    "weights of ones": (
        lambda: layers.CategoryEncoding(3)([[0]], count_weights=np.ones((1, 1))), "`count_weight"),
    "no ranges": (lambda: layers.Discretization(), "either `bin_boundaries` or `num_bins`"),
    "falling boundaries": (lambda: layers.Discretization([1.0, 0.0]), "a list of ascending number"),
    "ranges not found yet": (lambda: layers.Discretization(num_bins=3)([1.0]), "no boundaries yet"),
    "one feature": (lambda: layers.HashedCrossing(3)((np.ones(2, int),)), "two or more features"),
    "features of two shapes": (
        lambda: layers.HashedCrossing(3)((np.ones(2, int), np.ones(3, int))), "of one shape"),
    "a sparse result": (lambda: layers.CategoryEncoding(3, sparse=True), "`sparse` must be False"),
    "three salts": (lambda: Hashing(3, salt=[1, 2, 3]), "`salt` must be an integer, or two"),
}  # fmt: skip

OF_ANOTHER_KIND = {
    "numbers as text": (lambda: TextVectorization(vocabulary=["a"])([1, 2]), "takes text, receive"),
    "numbers as names": (lambda: StringLookup(vocabulary=["a"])(np.ones(2)), "takes text, receiv"),
    "numbers to learn from": (lambda: fitted(StringLookup(), [1, 2]), "takes text, received int64"),
    "mixed data": (lambda: StringLookup(vocabulary=["a"])(np.array(["a", 1], object)), "text"),
    "text as numbers": (lambda: IntegerLookup(vocabulary=[1])(["a"]), "takes numbers, received te"),
    "text as categories": (lambda: layers.CategoryEncoding(2)(["a"]), "text such as 'a'"),
    "text in ranges": (lambda: layers.Discretization([1.0])(["a"]), "`Discretization` takes numb"),
    "text to a dense layer": (lambda: layers.Rescaling(2.0)(["so good"]), "`Rescaling` takes numb"),
    "a term that is none": (lambda: StringLookup(vocabulary=["a", 1]), "takes strings, received 1"),
    "a number that is none": (lambda: IntegerLookup(vocabulary=["a"]), "integers of 32 bits, rec"),
    "strings back within a program": (
        lambda: jax.jit(StringLookup(vocabulary=["a"], invert=True))(np.ones(2, int)),
        "a compiled program has none of"),
    "text back from text": (
        lambda: StringLookup(vocabulary=["a"], invert=True)(np.array(["a"])), "takes integers"),
    "a mask of text for integers": (lambda: Hashing(3, mask_value="a")([1]), "`mask_value` is 'a'"),
    "crossed fractions": (
        lambda: layers.HashedCrossing(3)((np.ones(2), np.ones(2))), "strings or integers, receive"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_one_value_error_that_says_so(name):
    mistake, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        mistake()


@pytest.mark.parametrize("name", OF_ANOTHER_KIND)
def test_data_of_another_kind_is_one_type_error_that_says_so(name):
    mistake, message = OF_ANOTHER_KIND[name]
    with pytest.raises(TypeError, match=message):
        mistake()


def test_a_long_vocabulary_is_not_told():
    layer = StringLookup(vocabulary=[f"name {i}" for i in range(1000)])
    assert repr(layer) == "StringLookup(vocabulary=<1001 terms>)"
