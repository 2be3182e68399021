"""Keras's preprocessing functions for sequences and text."""

from fjax.preprocessing import sequence as sequence
from fjax.preprocessing import text as text
