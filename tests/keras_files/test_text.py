"""Models with vocabularies in `.keras` files that Keras 3.15 on TensorFlow wrote.

Keras's text layers need TensorFlow, which is not among the judges: the files in `text/` and Keras's
outputs for `INPUTS` in `outputs.json` were made once. The layers were adapted to these texts.
"""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import fjax as keras
from fjax.storage import ModelFileError

FOLDER = Path(__file__).parent / "text"
OUTPUTS = json.loads((FOLDER / "outputs.json").read_text())
TEXTS = np.array(["the cat sat on the mat", "a dog sat", "the dog ate the cat food", "birds fly"])
INPUTS = dict.fromkeys(OUTPUTS, TEXTS) | {"integer_lookup": np.array([[3], [42], [5]])}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_file_of_keras_has_its_vocabulary(name):
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    np.testing.assert_allclose(model.predict(INPUTS[name], verbose=0), OUTPUTS[name], atol=1e-6)


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_file_written_for_keras_has_it_too(name, tmp_path):
    path = tmp_path / "model.keras"
    model = keras.models.load_model(FOLDER / f"{name}.keras")
    model.save(path)
    again = keras.models.load_model(path)
    np.testing.assert_array_equal(
        again.predict(INPUTS[name], verbose=0), model.predict(INPUTS[name], verbose=0)
    )


def test_the_weights_of_tokens_are_where_keras_has_them(tmp_path):
    model = keras.models.load_model(FOLDER / "text_tf_idf.keras")
    model.save_weights(tmp_path / "x.weights.h5")
    layer = next(each for each in model.layers if hasattr(each, "idf_weights"))
    with h5py.File(tmp_path / "x.weights.h5") as file:
        for group in ("", "_lookup_layer/"):
            stored = file[f"layers/text_vectorization/{group}vars/idf_weights"][:]
            # Keras pads them to `max_tokens`.
            assert stored.shape == (20,)
            np.testing.assert_array_equal(stored[: len(layer.idf_weights)], layer.idf_weights)


def test_a_vocabulary_of_another_length_is_an_error(tmp_path):
    source, forged = FOLDER / "text_tf_idf.keras", tmp_path / "forged.keras"
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(forged, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith("vocabulary.txt"):
                content = b"[UNK]\n" + b"\n".join(b"w%d" % i for i in range(50))
            after.writestr(name, content)
    with pytest.raises(ModelFileError, match="has 51 tokens"):
        keras.models.load_model(forged)
