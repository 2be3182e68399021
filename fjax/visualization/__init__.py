"""Drawings of models, by graphviz or as text, and figures of their training and results."""

from fjax.visualization.boundary import plot_decision_boundary as plot_decision_boundary
from fjax.visualization.confusion import plot_confusion_matrix as plot_confusion_matrix
from fjax.visualization.dot import model_to_dot as model_to_dot
from fjax.visualization.history import plot_history as plot_history
from fjax.visualization.learning_rate import LearningRateSweep as LearningRateSweep
from fjax.visualization.learning_rate import find_learning_rate as find_learning_rate
from fjax.visualization.picture import plot_model as plot_model
from fjax.visualization.placement import plot_placement as plot_placement
from fjax.visualization.predictions import plot_predictions as plot_predictions
from fjax.visualization.search import plot_search as plot_search
from fjax.visualization.sweep import plot_sweep as plot_sweep
from fjax.visualization.text import text_drawing as text_drawing
