"""Train a small GPT on the bytes of a text, on one device or on many, and let it write.

The placement is one argument of `compile`. Try the others on a computer with one CPU:

    XLA_FLAGS=--xla_force_host_platform_device_count=8 python examples/gpt.py --placement fsdp

By default the text is the reference of the Python language, which is part of Python. The option
`--report` prints the memory and the communication of a step, and trains nothing.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from pydoc_data import topics
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec as P

import fjax as keras
from fjax import distribution, layers

# Bytes are the tokens: any text works, in any language.
VOCABULARY = 256

# Tensor sharding divides the heads of attention, and the hidden features of the feed-forward part.
# So each of them has one sum over the devices, at its end. The weights of `repeat` have an axis of
# blocks in front, which is not divided.
RULES = {
    ".*/(query|key|value)/kernel": P(None, None, "model"),
    ".*/(query|key|value)/bias": P(None, "model"),
    ".*/attention_output/kernel": P(None, "model"),
    ".*/expand/kernel": P(None, None, "model"),
    ".*/expand/bias": P(None, "model"),
    ".*/contract/kernel": P(None, "model"),
    "tokens/embeddings": P("model"),
    ".*": P(),
}


def tensor_sharding() -> Any:
    """Return a placement that divides batches in two, and weights by the other devices."""
    count = distribution.get_device_count()
    shape = (2, count // 2) if count > 1 else (1, 1)
    mesh = distribution.DeviceMesh(shape, ["data", "model"])
    return distribution.sharded(mesh, RULES, batch="data")


PLACEMENTS: dict[str, Callable[[], Any]] = {
    "one": lambda: None,
    "data": distribution.data_parallel,
    "fsdp": lambda: distribution.fsdp(min_size=2**10),
    "tensor": tensor_sharding,
}


class Positions(layers.Layer):
    """Add a learned vector for each position."""

    def build(self, input_shape):
        """Make the vectors."""
        self.vectors = self.add_weight(input_shape[1:], "uniform", name="vectors")

    def call(self, inputs):
        """Return the inputs with the vectors added."""
        return inputs + self.vectors


class Block(layers.Layer):
    """Attention to the bytes before, and a network of two layers; each is added to its inputs."""

    def __init__(self, width, heads, dropout, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.LayerNormalization()
        self.attention = layers.MultiHeadAttention(heads, width // heads, dropout=dropout)
        self.second_norm = layers.LayerNormalization()
        self.expand = layers.Dense(4 * width, activation="gelu")
        self.contract = layers.Dense(width)
        self.dropout = layers.Dropout(dropout)

    def call(self, inputs):
        """Return the outputs of the block."""
        hidden = self.norm(inputs)
        inputs = inputs + self.dropout(self.attention(hidden, hidden, use_causal_mask=True))
        return inputs + self.dropout(self.contract(self.expand(self.second_norm(inputs))))


def gpt(
    length: int, width: int, depth: int, heads: int, dropout: float, remat: bool
) -> keras.Model:
    """Return the model: from bytes to the scores of the byte that follows each of them."""
    tokens = layers.ReversibleEmbedding(VOCABULARY, width, name="tokens", reverse_dtype="float32")
    inputs = keras.Input((length,), dtype="int32")
    hidden = layers.Dropout(dropout)(Positions(name="positions")(tokens(inputs)))
    hidden = keras.repeat(Block(width, heads, dropout), depth, name="blocks", remat=remat)(hidden)
    hidden = layers.LayerNormalization(name="norm")(hidden)
    # The head has the weights of the embedding.
    return keras.Model(inputs, tokens(hidden, reverse=True))


def read_text(file: str | None) -> np.ndarray:
    """Return the bytes of a text file, by default of Python's reference."""
    text = "\n".join(topics.topics.values()).encode() if file is None else Path(file).read_bytes()
    return np.frombuffer(text, np.uint8)


def sequences(text: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pieces of the text, and the same pieces one byte later."""
    count = (len(text) - 1) // length
    if count < 1:
        raise ValueError(f"The text has {len(text)} bytes, too few for pieces of {length} bytes.")
    inputs, targets = text[: count * length], text[1 : count * length + 1]
    return inputs.reshape(count, length), targets.reshape(count, length)


def write(
    model: keras.Model, prompt: str, count: int, temperature: float = 0.8, seed: int = 0
) -> str:
    """Return a prompt and what the model writes after it, in one compiled loop."""
    length, network = model.input_shape[1], model.network
    start = np.frombuffer(prompt.encode(), np.uint8)
    end = len(start) + count
    size = max(end, length)
    text = np.zeros(size, "int32")
    text[: len(start)] = start

    def add_byte(position, text, params, state):
        # A position sees none of the later ones, so it does not matter what is there.
        first = jnp.clip(position - length, 0, size - length)
        window = jax.lax.dynamic_slice_in_dim(text, first, length)
        scores, _ = network.apply(params, state, window[None])
        key = jax.random.fold_in(jax.random.key(seed), position)
        byte = jax.random.categorical(key, scores[0, position - 1 - first] / temperature)
        return text.at[position].set(byte)

    @jax.jit
    def continued(text, params, state):
        return jax.lax.fori_loop(
            len(start), end, lambda position, text: add_byte(position, text, params, state), text
        )

    written = continued(text, model.train_state.params, model.train_state.state)
    return bytes(written[:end].tolist()).decode(errors="replace")


def main(
    file: str | None = None, placement: str = "one", policy: str = "float32", remat: bool = False,
    epochs: int = 3, batch_size: int = 64, length: int = 128, width: int = 128, depth: int = 4,
    heads: int = 4, dropout: float = 0.1, rate: float = 3e-3, size: int | None = None,
    prompt: str = "The ", count: int = 400, report: bool = False,
) -> dict[str, list[float]]:  # fmt: skip
    """Train, print what the model writes, and return the logs of each epoch."""
    keras.utils.set_random_seed(42)
    text = read_text(file)[:size]
    held_out = len(text) // 10
    x, y = sequences(text[held_out:], length)

    keras.mixed_precision.set_global_policy(policy)
    model = gpt(length, width, depth, heads, dropout, remat)
    keras.mixed_precision.set_global_policy("float32")
    steps = epochs * -(-len(x) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=rate, warmup_steps=steps // 10
    )
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=0.01, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        placement=PLACEMENTS[placement](),
    )
    if report:
        print(model.memory_report(batch_size))
        return {}
    model.summary()
    history = model.fit(
        x, y, batch_size, epochs, validation_data=sequences(text[:held_out], length), verbose=2
    ).history
    print(f"test loss: {history['val_loss'][-1] / np.log(2):.2f} bits a byte")
    print(write(model, prompt, count))
    return history


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="a text; by default Python's reference")
    parser.add_argument("--placement", choices=PLACEMENTS, default="one")
    parser.add_argument("--policy", default="float32", help='such as "mixed_bfloat16"')
    parser.add_argument("--remat", action="store_true", help="store fewer activations")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--length", type=int, default=128, help="the bytes that a prediction sees")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--size", type=int, help="use only so many bytes of the text")
    parser.add_argument("--prompt", default="The ")
    parser.add_argument("--count", type=int, default=400, help="the bytes to write")
    parser.add_argument("--report", action="store_true", help="print memory and communication")
    main(**vars(parser.parse_args()))
