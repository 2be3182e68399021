"""Messages of functions that read files."""

from fjax.config import is_interactive_logging_enabled


def print_message(message: str) -> None:
    """Print a message, unless interactive logging is disabled.

    >>> print_message("Found 2 files.")
    Found 2 files.
    """
    if is_interactive_logging_enabled():
        print(message)
