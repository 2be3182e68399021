"""The functions of Keras 2's `keras.backend` that older tutorials call."""

from fjax.utils import clear_session as clear_session
