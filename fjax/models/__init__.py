"""The facade: a network, what it was compiled with, and a train state."""

from fjax.models.model import Model as Model
from fjax.models.sequential import Sequential as Sequential
