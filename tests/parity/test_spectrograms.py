"""`MelSpectrogram` and `STFTSpectrogram`, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

SIGNALS = np.random.default_rng(0).normal(size=(2, 96)).astype("float32")


@pytest.mark.parametrize(
    "options",
    [
        {"num_mel_bins": 6},
        {"num_mel_bins": 5, "sequence_length": 24, "window": "hamming", "sampling_rate": 800},
        {"num_mel_bins": 4, "power_to_db": False, "mag_exp": 1.0, "max_freq": 3000.0},
        {"num_mel_bins": 4, "top_db": 3.0, "ref_power": 10.0, "min_power": 0.5, "window": None},
    ],
)
def test_mel_spectrograms(options):
    ours, theirs = (
        library.layers.MelSpectrogram(32, 16, **options)(SIGNALS) for library in (fjax, keras)
    )
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "real", "imag", "angle", "stft"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_stft_spectrograms(mode, data_format):
    signals = SIGNALS.reshape(2, 48, 2)
    expand_dims = mode in ("psd", "angle")
    options = {
        "mode": mode, "frame_length": 8, "frame_step": 3, "fft_length": 16,
        "expand_dims": expand_dims, "data_format": data_format,
        "padding": "same" if mode in ("psd", "real") else "valid",
    }  # fmt: skip
    if data_format == "channels_first":
        signals = signals.swapaxes(1, 2)
    ours, theirs = (library.layers.STFTSpectrogram(**options) for library in (fjax, keras))
    outputs, expected = np.asarray(ours(signals)), np.asarray(theirs(signals))
    if mode == "angle":
        # Angles of pi and -pi are the same.
        outputs, expected = np.exp(1j * outputs), np.exp(1j * expected)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    names = [[weight.name for weight in layer.weights] for layer in (ours, theirs)]
    assert names[0] == names[1]


def test_the_kernels_are_trained_as_in_keras():
    weights = []
    for library in (fjax, keras):
        layer = library.layers.STFTSpectrogram("magnitude", 8)
        model = library.Sequential([library.Input((48, 2)), layer])
        model.compile(library.optimizers.SGD(0.1), "mse")
        x = SIGNALS.reshape(2, 48, 2)
        model.fit(x, np.zeros(model.predict(x, verbose=0).shape), epochs=2, verbose=0)
        weights.append(model.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_mistakes():
    layers = fjax.layers
    for make, message in (
        (lambda: layers.MelSpectrogram(8, sequence_length=9), "`fft_length` must be at least `seq"),
        (lambda: layers.MelSpectrogram(8)(np.ones((2, 4))), "takes signals of more than 4 samples"),
        (lambda: layers.MelSpectrogram(8, min_freq=9000.0), "`max_freq` must be"),
        (lambda: layers.STFTSpectrogram("power"), "`mode` must be"),
        (lambda: layers.STFTSpectrogram(frame_length=8, frame_step=9), "`frame_step` must be at m"),
        (lambda: layers.STFTSpectrogram(frame_length=8, fft_length=4), "`fft_length` must be"),
        (lambda: layers.STFTSpectrogram()(np.ones((2, 300))), "takes inputs of 3 axes"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
