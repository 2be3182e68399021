"""Authored classes: `build`, `add_weight` and `call` become a pair of functions by binding.

An author writes a class as in Keras. In each pass, `init` and `apply` make a shallow copy of the
object. On the copy, weights are the arrays of `params` and `state`, and sublayers are bound in
turn. `build` and `call` run on the copy, and what `call` assigns to state weights is the next
state. The object itself is never changed, so the pair is pure and safe in threads. What an author's
code may do in which method is in `fjax.authoring.phases`.

`call` may take `training`, and `key` if it draws. Several inputs are several arguments if `call`
has as many parameters, else one tuple. A state weight changes by assignment in `call`:

>>> import jax, jax.numpy as jnp
>>> from fjax import Layer
>>> from fjax.layers import Dense
>>> class Counted(Layer):
...     def __init__(self, units):
...         super().__init__()
...         self.dense = Dense(units)
...         self.passes = self.add_weight((), "zeros", trainable=False)
...
...     def build(self, input_shape):
...         self.scale = self.add_weight(input_shape[-1:], "ones")
...
...     def call(self, inputs):
...         self.passes = self.passes + 1
...         return self.dense(inputs * self.scale)
>>> layer = Counted(3)
>>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 4)))
>>> outputs, state = layer.apply(params, state, jnp.ones((2, 4)))
>>> params["dense"]["kernel"].shape, params["scale"].shape, float(state["passes"])
((4, 3), (4,), 1.0)
"""

from fjax.authoring import entry
from fjax.authoring.classes import build_within_a_pass as build_within_a_pass
from fjax.authoring.contexts import is_bound as is_bound
from fjax.authoring.pair import authored_apply as authored_apply
from fjax.authoring.pair import authored_constraints as authored_constraints
from fjax.authoring.pair import authored_discover as authored_discover
from fjax.authoring.pair import authored_init as authored_init
from fjax.authoring.pair import authored_trace as authored_trace
from fjax.authoring.pair import plan_for as plan_for
from fjax.authoring.plans import Plan as Plan
from fjax.authoring.sublayers import find_sublayers as find_sublayers
from fjax.authoring.sublayers import holds_layers as holds_layers
from fjax.authoring.sublayers import replace_sublayers as replace_sublayers
from fjax.authoring.weights import holds_init_weights as holds_init_weights
from fjax.core.author import register_authoring

register_authoring(entry)
