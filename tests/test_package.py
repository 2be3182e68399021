"""The package's top-level names."""

import subprocess
import sys

import pytest

import fjax


def test_ops_are_imported_when_they_are_used():
    program = "import sys, fjax; assert 'fjax.ops' not in sys.modules; assert fjax.ops.relu"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    with pytest.raises(AttributeError, match="module 'fjax' has no attribute 'opps'"):
        fjax.opps  # noqa: B018


@pytest.mark.parametrize(
    ("module", "public", "private"),
    [
        (fjax.optimizers.schedules, {"ExponentialDecay", "get", "serialize"}, {"Any", "Array"}),
        (fjax.layers, {"Dense", "Input", "deserialize"}, {"dense", "merging"}),
        (fjax.losses, {"Huber", "huber", "get"}, {"crossentropy", "names"}),
        (fjax.utils, {"set_random_seed", "plot_model"}, {"np", "random", "Any"}),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_dir_lists_the_public_names_of_a_module(module, public, private):
    names = set(dir(module))
    assert public <= names and not private & names
    assert all(hasattr(module, name) for name in names)
