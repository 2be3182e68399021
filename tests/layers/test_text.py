"""Layers on text and categories, compared with recorded results of Keras and with scikit-learn."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

import fjax
from fjax import layers
from fjax.core import output_specs
from fjax.core.text_inputs import STRING, is_text
from fjax.layers import Hashing, IntegerLookup, StringLookup, TextVectorization
from tests.layers.catalogue_text import ON_TEXT

# Keras needs TensorFlow for these layers. The tests do not install it, and use recorded results.
RECORDED = json.loads((Path(__file__).parent / "text_of_keras.json").read_text("utf-8"))["cases"]
every_layer = pytest.mark.parametrize("sample", ON_TEXT, ids=lambda sample: sample.label)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['layer']}-{case['config']}")
def test_results_equal_those_of_keras(case):
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


def test_bags_equal_those_of_scikit_learn():
    texts = ["the cat and the dog", "a dog", "twice twice", "the dog and a cat and a mouse"]
    vectorizer = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    expected = vectorizer.fit_transform(texts).toarray()
    layer = TextVectorization(output_mode="count", ngrams=2)
    layer.adapt(texts)
    columns = [layer.get_vocabulary().index(token) for token in vectorizer.get_feature_names_out()]
    np.testing.assert_array_equal(np.asarray(layer(texts))[:, columns], expected)
    assert layer.vocabulary_size() == len(columns) + 1


@every_layer
def test_apply_equals_call(sample):
    params, state = sample.layer.init(jax.random.key(0), *sample.inputs)
    outputs, after = sample.layer.apply(params, state, *sample.inputs, training=True)
    assert params == state == after == {}
    np.testing.assert_array_equal(outputs, sample.layer(*sample.inputs))


@every_layer
def test_output_specs_follow_from_text_specs(sample):
    specs = [
        jax.ShapeDtypeStruct(value.shape, STRING if is_text(value) else value.dtype)
        for value in sample.inputs
    ]
    spec, outputs = output_specs(sample.layer, {}, {}, *specs), sample.layer(*sample.inputs)
    is_unknown_length = (
        isinstance(sample.layer, TextVectorization) and sample.layer.output_sequence_length is None
    )
    last = -1 if is_unknown_length and sample.layer.output_mode == "int" else None
    assert (spec.shape[:last], spec.dtype) == (outputs.shape[:last], outputs.dtype)


@every_layer
def test_a_layer_round_trips_through_its_configuration(sample):
    again = type(sample.layer).from_config(json.loads(json.dumps(sample.layer.get_config())))
    assert (
        again == sample.layer
        and hash(again) == hash(sample.layer)
        and repr(again) == repr(sample.layer)
    )
    np.testing.assert_array_equal(again(*sample.inputs), sample.layer(*sample.inputs))


def test_an_adapted_layer_round_trips_through_its_configuration():
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


def test_text_may_be_lists_arrays_objects_bytes_and_columns():
    layer = TextVectorization(vocabulary=["good", "film"])
    expected = [[2, 3], [1, 0]]
    texts = ["Good film", "bad"]
    for inputs in (
        texts, np.array(texts), np.array(texts, object), np.array(texts, STRING),
        np.array(texts)[:, None],
        np.array([text.encode() for text in texts]), [[text] for text in texts],
    ):  # fmt: skip
        assert layer(inputs).tolist() == expected
    # One text becomes one row, as in Keras.
    assert layer("film good").tolist() == [3, 2]
    bags = TextVectorization(vocabulary=["good", "film"], output_mode="count")
    assert bags("film film").tolist() == [0.0, 0.0, 2.0]
    lookup = StringLookup(vocabulary=["a"])
    assert lookup(np.array(["a", "b"], STRING)).tolist() == [1, 0]
    assert lookup(np.array([b"a", b"b"])).tolist() == [1, 0]
    assert lookup("a").item() == 1


def test_a_vocabulary_from_batches_from_a_file_and_with_special_tokens(tmp_path):
    texts = ["a b b", "c b", "c"]
    at_once, in_batches, two_steps = (TextVectorization() for _ in range(3))
    at_once.adapt(texts)
    in_batches.adapt(texts[i : i + 1] for i in range(3))
    two_steps.adapt(iter([texts[:1], texts[1:2], texts[2:]]), steps=2)
    assert in_batches.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    assert at_once.get_vocabulary() == in_batches.get_vocabulary()
    assert two_steps.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    file = tmp_path / "words.txt"
    file.write_text("b\nc\na\n", "utf-8")
    assert TextVectorization(vocabulary=str(file)).get_vocabulary() == at_once.get_vocabulary()
    listed = TextVectorization(vocabulary=at_once.get_vocabulary())
    assert listed.get_vocabulary(include_special_tokens=False) == ["b", "c", "a"]
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("12\n-3", "utf-8")
    assert IntegerLookup(vocabulary=numbers).get_vocabulary() == [-1, 12, -3]


def test_custom_standardize_and_split():
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
    with pytest.raises(
        ValueError, match="`split` must return a list of tokens for each of 2 texts"
    ):
        TextVectorization(split=lambda texts: ["a"], vocabulary=["a"])(["a", "b"])


def test_unicode_is_lowercased_and_split():
    layer = TextVectorization(vocabulary=["straße", "école"])
    assert layer(["ÉCOLE\u3000Straße"]).tolist() == [[3, 2]]


def test_integers_are_hashed_and_looked_up_in_compiled_programs():
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


def adapt(layer, data):
    layer.adapt(data)
    return layer


NO_STRINGS = np.zeros((0,), str)
# What is called, and a part of the error message.
VALUE_ERRORS = {
    "not adapted": (lambda: TextVectorization()(["a"]), "has no vocabulary yet: call `layer.adapt"),
    "not adapted, with a name": (lambda: StringLookup(name="city")(["a"]), "'city' has no voca"),
    "not adapted integers": (lambda: IntegerLookup()([1]), "`IntegerLookup` has no vocabulary yet"),
    "an empty vocabulary": (lambda: StringLookup(vocabulary=[]), "`vocabulary` is empty"),
    "no token in data": (lambda: adapt(TextVectorization(), ["", "!"]), "no token to learn: each"),
    "no data": (lambda: adapt(StringLookup(), NO_STRINGS), "the data has no token to learn"),
    "a token twice": (lambda: StringLookup(vocabulary=["a", "b", "a"]), "tokens twice: 'a'"),
    "a mask among the tokens": (
        lambda: StringLookup(vocabulary=["a", ""], mask_token=""), "the `mask_token` '' at pos"),
    "a large vocabulary": (
        lambda: StringLookup(max_tokens=2, vocabulary=["a", "b"]), "has 3 tokens, special"),
    "max_tokens too small": (
        lambda: TextVectorization(max_tokens=2), "`max_tokens` must be an integer of at least 3"),
    "padding without max_tokens": (
        lambda: TextVectorization(output_mode="count", pad_to_max_tokens=True), "needs `max_tok"),
    "a wrong mode": (lambda: TextVectorization(output_mode="one_hot"), "must be one of 'int', 'mu"),
    "a misspelt mode": (lambda: StringLookup(output_mode="multihot"), "Did you mean `multi_hot`"),
    "a misspelt split": (lambda: TextVectorization(split="white"), "Did you mean `whitespace`?"),
    "a length for bags": (
        lambda: TextVectorization(output_mode="count", output_sequence_length=3), "needs `outp"),
    "weights for indices": (
        lambda: StringLookup(vocabulary=["a"], idf_weights=[1.0]), '`output_mode="tf_idf"`'),
    "no weights": (
        lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf"), "needs `idf_weights`"),
    "a wrong number of weights": (
        lambda: StringLookup(vocabulary=["a"], idf_weights=[1, 2, 3], output_mode="tf_idf"),
        "must be one number for each of 1 tokens"),
    "no such file": (lambda: StringLookup(vocabulary="no.txt"), "there is no vocabulary file"),
    "a file in a configuration": (
        lambda: StringLookup.from_config({"vocabulary": "words.txt"}), "which only the constr"),
    "adapt with a vocabulary": (
        lambda: adapt(StringLookup(vocabulary=["a"]), ["b"]), "was given when the layer was made"),
    "out of the vocabulary": (
        lambda: StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "b"]), "found 'b'"),
    "an integer out of the vocabulary": (
        lambda: IntegerLookup(vocabulary=[1], num_oov_indices=0)([1, 2]), "found 2"),
    "several texts per sample": (
        lambda: TextVectorization(vocabulary=["a"])([["a", "b"]]), "use `split=None`"),
    "rows of rows": (
        lambda: StringLookup(vocabulary=["a"], output_mode="count")([[["a"]]]), r"\(1, 1, 1\)"),
    "lists of different lengths": (
        lambda: IntegerLookup(vocabulary=[1])([[1], [1, 2]]), "`fjax.utils.pad_sequences`"),
    "inverted rows": (lambda: StringLookup(invert=True, output_mode="count"), "needs `output_mode"),
    "large integers": (lambda: IntegerLookup(vocabulary=[1])([2**40]), "integers of 32 bits"),
    "no categories": (lambda: layers.CategoryEncoding(), "`CategoryEncoding` needs `num_tokens`"),
    "a number out of range": (
        lambda: layers.CategoryEncoding(3)([[0, 3]]), r"from 0 to 2 .*found 3 at \(0, 1\)"),
    "weights for multi-hot": (
        lambda: layers.CategoryEncoding(3)([[0]], count_weights=np.ones((1, 1))), "`count_weight"),
    "no bins": (lambda: layers.Discretization(), "either `bin_boundaries` or `num_bins`"),
    "falling boundaries": (lambda: layers.Discretization([1.0, 0.0]), "in ascending order"),
    "bins not learned yet": (lambda: layers.Discretization(num_bins=3)([1.0]), "no boundaries yet"),
    "one feature": (lambda: layers.HashedCrossing(3)((np.ones(2, int),)), "two or more features"),
    "features of two shapes": (
        lambda: layers.HashedCrossing(3)((np.ones(2, int), np.ones(3, int))), "of equal shape"),
    "a sparse result": (lambda: layers.CategoryEncoding(3, sparse=True), "`sparse` must be False"),
    "three salts": (lambda: Hashing(3, salt=[1, 2, 3]), "`salt` must be an integer or a pair"),
}  # fmt: skip

TYPE_ERRORS = {
    "numbers as text": (lambda: TextVectorization(vocabulary=["a"])([1, 2]), "takes text, receive"),
    "numbers as names": (lambda: StringLookup(vocabulary=["a"])(np.ones(2)), "takes text, receiv"),
    "numbers to learn from": (lambda: adapt(StringLookup(), [1, 2]), "takes text, received int64"),
    "mixed data": (lambda: StringLookup(vocabulary=["a"])(np.array(["a", 1], object)), "text"),
    "text as numbers": (lambda: IntegerLookup(vocabulary=[1])(["a"]), "takes numbers, received te"),
    "text as categories": (lambda: layers.CategoryEncoding(2)(["a"]), "text such as 'a'"),
    "text in bins": (lambda: layers.Discretization([1.0])(["a"]), "`Discretization` takes numb"),
    "text to rescale": (lambda: layers.Rescaling(2.0)(["so good"]), "`Rescaling` takes numb"),
    "a token that is no string": (
        lambda: StringLookup(vocabulary=["a", 1]), "takes strings, received 1"),
    "a token that is no integer": (
        lambda: IntegerLookup(vocabulary=["a"]), "integers of 32 bits, received 'a'"),
    "strings from a compiled program": (
        lambda: jax.jit(StringLookup(vocabulary=["a"], invert=True))(np.ones(2, int)),
        "which compiled programs do not have"),
    "inverted text": (
        lambda: StringLookup(vocabulary=["a"], invert=True)(np.array(["a"])), "takes integers"),
    "a mask of text for integers": (
        lambda: Hashing(3, mask_value="a")([1]), "`mask_value` must be an integer .*'a'"),
    "crossed fractions": (
        lambda: layers.HashedCrossing(3)((np.ones(2), np.ones(2))), "strings or integers, receive"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUE_ERRORS)
def test_value_errors(name):
    call, message = VALUE_ERRORS[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", TYPE_ERRORS)
def test_type_errors(name):
    call, message = TYPE_ERRORS[name]
    with pytest.raises(TypeError, match=message):
        call()


def test_the_repr_of_a_long_vocabulary_is_short():
    layer = StringLookup(vocabulary=[f"name {i}" for i in range(1000)])
    assert repr(layer) == "StringLookup(vocabulary=<1001 tokens>)"


def text_model():
    texts = fjax.Input((1,), dtype="string", name="texts")
    lookup = StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    return fjax.Model(texts, fjax.layers.Dense(2)(lookup(texts)))


def test_the_shape_of_a_string_input_is_that_of_the_text():
    model, lines = text_model(), []
    assert model.input_shape == (None, 1) == model.input.shape
    model.summary(print_fn=lines.append)
    (row,) = (line for line in lines[0].splitlines() if "texts" in line)
    assert "(None, 1)" in row
    picture = str(fjax.utils.model_to_dot(model, show_shapes=True, show_dtype=True))
    assert picture.count("(None, 1)") == 2 and "(None, 3)" in picture and "string" in picture
    sequential = fjax.Sequential([fjax.Input((1,), dtype="string"), StringLookup(vocabulary=["a"])])
    assert sequential.input_shape == (None, 1)
