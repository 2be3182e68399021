"""Random arrays, with the names and numbers of `keras.random`.

A seed is an integer, which always gives the same numbers; a `SeedGenerator`, which gives other
numbers at each call; or None, for a generator that `fjax.utils.set_random_seed` seeds. Integers and
generators give the same numbers as Keras on JAX.
"""

from fjax.random.distributions import beta as beta
from fjax.random.distributions import binomial as binomial
from fjax.random.distributions import categorical as categorical
from fjax.random.distributions import dropout as dropout
from fjax.random.distributions import gamma as gamma
from fjax.random.distributions import normal as normal
from fjax.random.distributions import randint as randint
from fjax.random.distributions import shuffle as shuffle
from fjax.random.distributions import truncated_normal as truncated_normal
from fjax.random.distributions import uniform as uniform
from fjax.random.seeds import SeedGenerator as SeedGenerator
from fjax.random.seeds import key_of as key_of
