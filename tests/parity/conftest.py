import os

# Keras reads its backend when it is imported. It must compute with the same JAX as fjax.
os.environ["KERAS_BACKEND"] = "jax"
