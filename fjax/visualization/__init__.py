"""Models to look at: as a picture by graphviz, or as text."""

from fjax.visualization.dot import model_to_dot as model_to_dot
from fjax.visualization.picture import plot_model as plot_model
from fjax.visualization.text import text_drawing as text_drawing
