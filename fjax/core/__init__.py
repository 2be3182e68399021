"""The pair and its composition: what a layer is, and how layers make a layer."""

from fjax.core.calling import as_arguments as as_arguments
from fjax.core.combinators import Branch as Branch
from fjax.core.combinators import Parallel as Parallel
from fjax.core.combinators import Serial as Serial
from fjax.core.combinators import branch as branch
from fjax.core.combinators import parallel as parallel
from fjax.core.combinators import serial as serial
from fjax.core.drawing import graph as graph
from fjax.core.graph import Graph as Graph
from fjax.core.inputs import InputLayer as InputLayer
from fjax.core.layer import Layer as Layer
from fjax.core.layer import as_layer as as_layer
from fjax.core.outline import output_specs as output_specs
from fjax.core.penalties import empty_penalty as empty_penalty
from fjax.core.penalties import has_penalty as has_penalty
from fjax.core.penalties import penalty as penalty
from fjax.core.penalties import with_penalty as with_penalty
from fjax.core.penalties import without_penalties as without_penalties
from fjax.core.repetition import Repeat as Repeat
from fjax.core.repetition import repeat as repeat
from fjax.core.residuals import Residual as Residual
from fjax.core.residuals import residual as residual
from fjax.core.symbolic import SymbolicTensor as SymbolicTensor
