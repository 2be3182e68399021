"""Reshaping, padding, cropping, resizing and noise layers; see `tests.layers.catalogue`."""

from tests.layers.catalogue import entry

RESHAPING = [
    entry("AlphaDropout", (4, 3), rate=0.5, noise_shape=(None, 1)),
    entry("Cropping1D", (2, 5, 2), cropping=(1, 0)),
    entry("Cropping2D", (2, 5, 4, 2), cropping=(1, (2, 0))),
    entry("Cropping3D", (2, 2, 4, 3, 3), cropping=1, data_format="channels_first"),
    entry("GaussianDropout", (4, 3), rate=0.5),
    entry("GaussianNoise", (4, 3), stddev=0.5, seed=1),
    entry("Permute", (2, 3, 4), dims=(2, 1)),
    entry("RepeatVector", (2, 3), n=2),
    entry("Resizing", (2, 4, 6, 1), height=3, width=3, crop_to_aspect_ratio=True),
    entry("SpatialDropout1D", (2, 3, 4), rate=0.5),
    entry("SpatialDropout2D", (2, 4, 3, 2), rate=0.5, data_format="channels_first"),
    entry("SpatialDropout3D", (2, 2, 3, 2, 4), rate=0.5),
    entry("UpSampling1D", (2, 3, 2), size=3),
    entry("UpSampling2D", (2, 2, 3, 1), size=(2, 3), interpolation="bilinear"),
    entry("UpSampling3D", (2, 1, 2, 3, 2), size=(2, 1, 3)),
    entry("ZeroPadding1D", (2, 3, 2), padding=(1, 2)),
    entry("ZeroPadding2D", (2, 1, 2, 3), padding=(1, (0, 2)), data_format="channels_first"),
    entry("ZeroPadding3D", (2, 1, 2, 3, 1), padding=1),
]  # fmt: skip
