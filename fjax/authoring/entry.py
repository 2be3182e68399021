"""The functions by which `fjax.core`, which lies below, reaches this package: an `Authoring`."""

from fjax.authoring.classes import prepare_class as prepare_class
from fjax.authoring.contexts import context_of as context_of
from fjax.authoring.contexts import is_bound as is_bound
from fjax.authoring.contexts import is_running as is_running
from fjax.authoring.weights import init_variables as init_variables
from fjax.authoring.weights import note_variables as note_variables
from fjax.authoring.weights import own_weights as own_weights
from fjax.authoring.weights import with_own_weights as with_own_weights
