"""ResNet-20: a convolution, three groups of three residual blocks, mean, classes.

Source: He et al., "Deep Residual Learning for Image Recognition" (2016), section 4.2. Where a group
halves the image its first block's shortcut is a convolution of 1 x 1.
"""

from typing import Any

from benchmarks.jobs import Job

BLOCKS = 3


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    *groups, classes = job.units

    def convolved(values: Any, filters: int, size: int, strides: int = 1) -> Any:
        values = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(values)
        return layers.BatchNormalization()(values)

    inputs = layers.Input(job.input_shape)
    values = layers.ReLU()(convolved(inputs, groups[0], 3))
    for number, filters in enumerate(groups):
        for block in range(BLOCKS):
            strides = 2 if number and not block else 1
            around = convolved(values, filters, 1, strides) if strides > 1 else values
            through = layers.ReLU()(convolved(values, filters, 3, strides))
            values = layers.ReLU()(layers.Add()([convolved(through, filters, 3), around]))
    values = layers.GlobalAveragePooling2D()(values)
    return library.Model(inputs, layers.Dense(classes, activation=job.task.activation)(values))


def torch_module(job: Job) -> Any:
    """Return the network of PyTorch."""
    import torch
    from torch import nn

    from benchmarks.networks.by_torch import as_keras_begins, linear

    *groups, classes = job.units

    def convolved(channels: int, filters: int, size: int, strides: int = 1) -> nn.Sequential:
        convolution = nn.Conv2d(channels, filters, size, strides, padding=size // 2, bias=False)
        normalization = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)
        return nn.Sequential(as_keras_begins(convolution), normalization)

    class Block(nn.Module):
        def __init__(self, channels: int, filters: int, strides: int) -> None:
            super().__init__()
            self.first = convolved(channels, filters, 3, strides)
            self.second = convolved(filters, filters, 3)
            self.around = convolved(channels, filters, 1, strides) if strides > 1 else nn.Identity()

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            through = self.second(torch.relu(self.first(values)))
            return torch.relu(through + self.around(values))

    channels = groups[0]
    module = nn.Sequential(convolved(job.input_shape[-1], channels, 3), nn.ReLU())
    for number, filters in enumerate(groups):
        for block in range(BLOCKS):
            module.append(Block(channels, filters, 2 if number and not block else 1))
            channels = filters
    module.append(nn.AdaptiveAvgPool2d(1)).append(nn.Flatten())
    return module.append(linear(channels, classes))
