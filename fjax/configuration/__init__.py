"""Configuration: what describes a layer, loss, metric, optimizer or initializer.

`Configured` is their base class. `cache_key` returns the key of a configuration in the caches of
compiled programs and shapes.
"""

from dataclasses import field as field

from fjax.configuration.cache_keys import cache_key as cache_key
from fjax.configuration.cache_keys import detached as detached
from fjax.configuration.configured import SEALED as SEALED
from fjax.configuration.configured import Configured as Configured
from fjax.configuration.configured import plain as plain
from fjax.configuration.fields import arguments as arguments
from fjax.configuration.fields import described_arguments as described_arguments
from fjax.configuration.fields import fields_ending as fields_ending
from fjax.configuration.fields import fields_to_trace as fields_to_trace
from fjax.configuration.fields import is_implied as is_implied
from fjax.configuration.fields import is_nonzero as is_nonzero
from fjax.configuration.fields import is_required as is_required
from fjax.configuration.fields import replace as replace
from fjax.configuration.fields import snake_case as snake_case
from fjax.configuration.fields import stored as stored
from fjax.configuration.identity import ByIdentity as ByIdentity
from fjax.configuration.identity import code_of as code_of
from fjax.configuration.identity import is_as_defined as is_as_defined
from fjax.configuration.identity import is_library_function as is_library_function
from fjax.configuration.recording import RECORDED as RECORDED
from fjax.configuration.recording import record_arguments as record_arguments
from fjax.configuration.recording import recorded_arguments as recorded_arguments
from fjax.configuration.watching import Watch as Watch
