"""Layers whose weights are made in `__init__`."""

from fjax import Layer


class Linear(Layer):
    """The first class of Keras's guide to subclassing."""

    def __init__(self, units=2, input_dim=3, **kwargs):
        super().__init__(**kwargs)
        self.units, self.input_dim = units, input_dim
        self.w = self.add_weight(
            shape=(input_dim, units), initializer="random_normal", trainable=True
        )
        self.b = self.add_weight(shape=(units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return inputs @ self.w + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units, "input_dim": self.input_dim}


class Counting(Linear):
    """More weights, some of them in `build`; a state that counts."""

    def __init__(self, units=2, **kwargs):
        super().__init__(units, **kwargs)
        self.count = self.add_weight(shape=(), dtype="int32", trainable=False)

    def build(self, input_shape):
        self.scale = self.add_weight(input_shape[-1:], "ones")

    def call(self, inputs):
        self.count = self.count + 1
        return super().call(inputs * self.scale)
