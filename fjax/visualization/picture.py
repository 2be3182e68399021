"""Save a picture of a model in a file."""

import sys
from pathlib import Path
from typing import Any

from fjax.errors import explain_keywords, warn_user
from fjax.models.diagram import diagram_of
from fjax.visualization.dot import model_to_dot
from fjax.visualization.figures import ENDINGS, check_path
from fjax.visualization.text import text_of


@explain_keywords
def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Save a picture of a model in a file; without graphviz, print the model as text instead.

    Args:
        model: A model whose input shape is known.
        to_file: The file: .png, .svg, .pdf, or .dot for graphviz's own language, which needs only
            pydot.
        show_shapes: Whether to show the shapes of inputs and outputs.
        show_dtype: Whether to show the dtypes of outputs.
        show_layer_names: Whether to show the names of layers before their classes.
        rankdir: The direction from inputs to outputs: "TB" (top to bottom), "LR", "BT" or "RL".
        expand_nested: Whether to draw the layers within layers, in frames.
        dpi: Dots per inch.
        show_layer_activations: Whether to show the activations of layers that have one.
        show_trainable: Whether to show if the weights of a layer are trainable.

    Returns:
        In a notebook, the picture to display; otherwise None.

    Raises:
        TypeError: `model` is not a model.
        ValueError: The model's input shape is unknown, the extension is unknown, or another
            argument is invalid.
        FileNotFoundError: The folder of the file does not exist.

    Source: Keras's page "Model plotting utilities".

    >>> import tempfile
    >>> from fjax import Sequential
    >>> from fjax.layers import Dense, Input
    >>> file = Path(tempfile.mkdtemp()) / "model.dot"
    >>> plot_model(Sequential([Input((4,)), Dense(3)]), file, show_shapes=True)
    >>> "(None, 3)" in file.read_text()
    True
    """
    file = check_path("plot_model", to_file, (*ENDINGS, ".dot"))
    # Drawn first, so that mistakes in the model are errors without graphviz, too.
    text = text_of(diagram_of("plot_model", model, expand_nested), show_shapes)
    try:
        dot = model_to_dot(
            model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
            show_layer_activations, show_trainable,
        )  # fmt: skip
    except ImportError as error:
        _print_text(str(error).rstrip("."), file, text)
        return None
    ending = file.suffix.lower()
    if ending == ".dot":
        file.write_text(dot.to_string(), "utf-8")
        return None
    try:
        picture = dot.create(format=ending[1:])
    except FileNotFoundError:
        _print_text(
            "graphviz's program `dot` is missing: install graphviz (`apt install graphviz`, `brew "
            "install graphviz` or https://graphviz.org/download)",
            file,
            text,
        )
        return None
    file.write_bytes(picture)
    return _display(file)


def _print_text(reason: str, file: Path, text: str) -> None:
    warn_user(
        f"`plot_model` did not write {file.name!r} because {reason}. The model as text:",
    )
    print(text)


def _display(file: Path) -> Any:
    """Return the picture for a notebook to display; outside notebooks, IPython is not imported."""
    display = sys.modules.get("IPython.display")
    ending = file.suffix.lower()
    if display is None or ending == ".pdf":
        return None
    return display.SVG(str(file)) if ending == ".svg" else display.Image(str(file))
