"""The image layers of the catalogue."""

from tests.layers.catalogue import entry

IMAGES = (3, 6, 5, 3)
FIRST = (3, 3, 6, 5)

# In training these layers draw; `tests/parity/test_augmentation.py` compares what they draw.
AUGMENTATION = [
    entry("CenterCrop", IMAGES, height=3, width=2),
    entry("CenterCrop", FIRST, height=4, width=8, data_format="channels_first"),
    entry("RandomBrightness", IMAGES, factor=0.3, value_range=(-2, 2)),
    entry("RandomContrast", IMAGES, factor=(0.2, 0.6), value_range=(-2, 2), seed=3),
    entry("RandomCrop", IMAGES, height=4, width=3),
    entry("RandomCrop", FIRST, height=4, width=8, data_format="channels_first"),
    entry("RandomFlip", IMAGES),
    entry("RandomFlip", FIRST, mode="vertical", seed=1, data_format="channels_first"),
    entry("RandomRotation", IMAGES, factor=0.2),
    entry("RandomRotation", FIRST, factor=(-0.1, 0.4), fill_mode="constant", fill_value=1.5,
          interpolation="nearest", data_format="channels_first"),
    entry("RandomShear", IMAGES, x_factor=0.3, y_factor=(0.1, 0.2)),
    entry("RandomShear", FIRST, y_factor=0.4, fill_mode="wrap", data_format="channels_first"),
    entry("RandomTranslation", IMAGES, height_factor=0.3, width_factor=(-0.2, 0.1)),
    entry("RandomTranslation", FIRST, height_factor=0.0, width_factor=0.5, fill_mode="constant",
          fill_value=2.0, data_format="channels_first"),
    entry("RandomZoom", IMAGES, height_factor=0.3),
    entry("RandomZoom", FIRST, height_factor=(0.1, 0.4), width_factor=-0.2, fill_mode="nearest",
          interpolation="nearest", data_format="channels_first"),
]  # fmt: skip
