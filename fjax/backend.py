"""What older tutorials call on `keras.backend`."""

from fjax.utils import clear_session as clear_session
