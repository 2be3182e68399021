"""Data made ready for models, by Keras's names."""

from fjax.preprocessing import sequence as sequence
from fjax.preprocessing import text as text
