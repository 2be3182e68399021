"""Who listens to a run."""

from fjax.callbacks.callback import Callback as Callback
from fjax.callbacks.callback_list import CallbackList as CallbackList
from fjax.callbacks.history import History as History
from fjax.callbacks.progress import ProgbarLogger as ProgbarLogger
from fjax.callbacks.tensorboard import TensorBoard as TensorBoard
