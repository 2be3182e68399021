"""Training: the train state, the pure steps, the compiled programs and the loop."""

from fjax.training.accumulators import NamedMetric as NamedMetric
from fjax.training.accumulators import init_accumulators as init_accumulators
from fjax.training.batch import Batch as Batch
from fjax.training.batch import Source as Source
from fjax.training.batch import Window as Window
from fjax.training.custom_step import custom_test_step as custom_test_step
from fjax.training.custom_step import custom_train_step as custom_train_step
from fjax.training.initialization import initialize as initialize
from fjax.training.loop import evaluate as evaluate
from fjax.training.loop import predict as predict
from fjax.training.loop import run_epoch as run_epoch
from fjax.training.output_losses import OutputLoss as OutputLoss
from fjax.training.output_losses import OutputLosses as OutputLosses
from fjax.training.programs import Programs as Programs
from fjax.training.programs import programs_for as programs_for
from fjax.training.state import TrainState as TrainState
from fjax.training.state import create_train_state as create_train_state
from fjax.training.state import finalized as finalized
from fjax.training.step import test_step as test_step
from fjax.training.step import train_step as train_step
