"""Functions on arrays that layers are made of, in the form that runs best on each backend."""

from fjax.ops.embedding import lookup as lookup
from fjax.ops.recurrence import Recurrence as Recurrence
from fjax.ops.recurrence import recurrence as recurrence
