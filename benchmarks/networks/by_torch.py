"""What the networks in PyTorch share: layers with Keras's first weights."""

from typing import TypeVar

from torch import nn

Layer = TypeVar("Layer", nn.Linear, nn.Conv1d, nn.Conv2d)


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a fully connected layer."""
    return as_keras_begins(nn.Linear(inputs, outputs))


def as_keras_begins(layer: Layer) -> Layer:
    """Return a layer with a Glorot-uniform kernel, and a bias of zeros."""
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def embedding(words: int, width: int) -> nn.Embedding:
    """Return vectors for words."""
    layer = nn.Embedding(words, width)
    nn.init.uniform_(layer.weight, -0.05, 0.05)
    return layer
