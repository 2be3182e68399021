"""The facade: models with Keras's names."""

from fjax.models.cloning import clone_model as clone_model
from fjax.models.loading import load_model as load_model
from fjax.models.loading import model_from_json as model_from_json
from fjax.models.model import Model as Model
from fjax.models.saving import save_model as save_model
from fjax.models.sequential import Sequential as Sequential
