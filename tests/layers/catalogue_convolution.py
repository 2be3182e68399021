"""Convolution and pooling layers with sample configurations; see `tests.layers.catalogue`."""

from tests.layers.catalogue import entry

FIRST = {"data_format": "channels_first"}
CONVOLUTION = [
    entry("AveragePooling1D", (2, 7, 3), pool_size=3, strides=2, padding="same"),
    entry("AveragePooling2D", (2, 6, 5, 3), pool_size=2),
    entry("AveragePooling3D", (2, 3, 4, 4, 2), pool_size=2, strides=1, padding="same"),
    entry("Conv1D", (2, 6, 3), filters=4, kernel_size=3, padding="causal", dilation_rate=2),
    entry("Conv1D", (2, 6, 4), filters=4, kernel_size=2, strides=2, groups=2, activation="relu",
          kernel_regularizer="l2", bias_constraint="non_neg", activity_regularizer="l1"),
    entry("Conv2D", (2, 6, 5, 3), filters=4, kernel_size=3, kernel_constraint="max_norm"),
    entry("Conv2D", (2, 3, 6, 5), filters=4, kernel_size=(2, 3), strides=(2, 1), padding="same",
          use_bias=False, **FIRST),
    entry("Conv3D", (2, 3, 4, 4, 2), filters=3, kernel_size=2, padding="same"),
    entry("Conv1DTranspose", (2, 5, 3), filters=4, kernel_size=3, strides=2),
    entry("Conv2DTranspose", (2, 4, 3, 3), filters=4, kernel_size=3, strides=2, padding="same",
          output_padding=(1, 0), kernel_regularizer="l1", bias_constraint="non_neg"),
    entry("Conv3DTranspose", (2, 2, 3, 2, 2), filters=2, kernel_size=2, use_bias=False),
    entry("DepthwiseConv1D", (2, 6, 3), kernel_size=2, depth_multiplier=2, activation="tanh"),
    entry("DepthwiseConv2D", (2, 5, 6, 3), kernel_size=3, padding="same", dilation_rate=2,
          depthwise_regularizer="l2", depthwise_constraint="non_neg", bias_regularizer="l1"),
    entry("GlobalAveragePooling1D", (2, 5, 3)),
    entry("GlobalAveragePooling2D", (2, 3, 4, 5), keepdims=True, **FIRST),
    entry("GlobalAveragePooling3D", (2, 2, 3, 4, 3)),
    entry("GlobalMaxPooling1D", (2, 5, 3), keepdims=True),
    entry("GlobalMaxPooling2D", (2, 4, 5, 3)),
    entry("GlobalMaxPooling3D", (2, 3, 2, 3, 4), **FIRST),
    entry("MaxPooling1D", (2, 7, 3), pool_size=2, strides=3, padding="same"),
    entry("MaxPooling2D", (2, 6, 5, 3)),
    entry("MaxPooling2D", (2, 3, 6, 5), pool_size=3, strides=(2, 1), **FIRST),
    entry("MaxPooling3D", (2, 4, 4, 3, 2), pool_size=(2, 2, 3)),
    entry("SeparableConv1D", (2, 6, 3), filters=4, kernel_size=3, strides=2, padding="same"),
    entry("SeparableConv2D", (2, 5, 6, 3), filters=4, kernel_size=(2, 3), depth_multiplier=2,
          pointwise_regularizer="l2", depthwise_regularizer="l1", pointwise_constraint="max_norm"),
]  # fmt: skip
