"""Sample configurations of layers on categories and numbers."""

from fjax import layers
from tests.layers.catalogue import Entry, entry

FEATURES = [
    entry("MelSpectrogram", (2, 96), fft_length=32, sequence_stride=16, sequence_length=24,
          window="hamming", sampling_rate=800, num_mel_bins=5, min_freq=30.0, top_db=20.0),
    entry("MelSpectrogram", (2, 2, 64), fft_length=32, sequence_stride=8, num_mel_bins=4,
          power_to_db=False, mag_exp=1.0, max_freq=3000.0),
    entry("STFTSpectrogram", (2, 40, 2), mode="stft", frame_length=12, frame_step=5, fft_length=16,
          expand_dims=True, padding="same", scaling="spectrum"),
    entry("STFTSpectrogram", (2, 2, 40), mode="psd", frame_length=8, window=None,
          data_format="channels_first"),
    entry("STFTSpectrogram", (2, 40, 2), mode="magnitude", frame_length=8, periodic=True,
          scaling=None),
    entry("STFTSpectrogram", (2, 2, 40), mode="imag", frame_length=8, expand_dims=True,
          data_format="channels_first"),
    entry("STFTSpectrogram", (2, 40, 1), mode="log", frame_length=8),
    entry("CategoryEncoding", (4, 3), whole=4, num_tokens=9),
    Entry(layers.CategoryEncoding(9, output_mode="count"), (4, 3), whole=4),
    entry("Discretization", (4, 3), bin_boundaries=[-1.0, 0.0, 0.5], output_mode="one_hot"),
    Entry(layers.Hashing(5, mask_value=1, output_mode="count"), (4, 3), whole=9),
    Entry(layers.IntegerLookup(num_oov_indices=3, vocabulary=(3, 1), idf_weights=(0.5, 2.0),
                               output_mode="tf_idf"), (4, 3), whole=9),
]  # fmt: skip
