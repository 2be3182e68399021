import os

import pytest

# Keras reads its backend when it is imported. It must compute with the same JAX as fjax.
os.environ["KERAS_BACKEND"] = "jax"


def pytest_collection_modifyitems(items):
    # Keras 3.15 asks JAX for int64, and JAX warns. In all other tests the warning is an error.
    here = os.path.dirname(__file__)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(
                pytest.mark.filterwarnings("ignore:[\\s\\S]*Explicitly requested dtype int64")
            )
