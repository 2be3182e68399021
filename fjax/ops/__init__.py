"""Functions on arrays that layers are made of, each with the lowering that its backend runs best."""

from fjax.ops.embedding import lookup as lookup
