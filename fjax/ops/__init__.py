"""Functions on arrays that layers are made of, in the form that runs best on each backend."""

from fjax.ops.embedding import lookup as lookup
