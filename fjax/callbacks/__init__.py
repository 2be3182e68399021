"""Callbacks: objects that `fit`, `evaluate` and `predict` call while they run."""

from fjax.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
from fjax.callbacks.callback import Callback as Callback
from fjax.callbacks.callback_list import CallbackList as CallbackList
from fjax.callbacks.csv_logger import CSVLogger as CSVLogger
from fjax.callbacks.early_stopping import EarlyStopping as EarlyStopping
from fjax.callbacks.experiment_logger import ExperimentLogger as ExperimentLogger
from fjax.callbacks.history import History as History
from fjax.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from fjax.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
from fjax.callbacks.live_plot import LivePlot as LivePlot
from fjax.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
from fjax.callbacks.progress import ProgbarLogger as ProgbarLogger
from fjax.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
from fjax.callbacks.remote_monitor import RemoteMonitor as RemoteMonitor
from fjax.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
from fjax.callbacks.tensorboard import TensorBoard as TensorBoard
from fjax.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN
