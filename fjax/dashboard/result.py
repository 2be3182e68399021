"""The result of a trial: a small JSON file of numbers and words."""

from typing import BinaryIO

from fjax.dashboard.run import Run
from fjax.storage.strict_json import parse_json

RESULT_NAME = "result.json"
MAX_BYTES = 2**20


def read_result(file: BinaryIO, run: Run) -> None:
    """Add the numbers and words of a result file to a run.

    Raises:
        ValueError: It is not a JSON object.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("The result is larger than 1 MB, and was not read.")
    try:
        content = parse_json(data)
    except ValueError:
        raise ValueError("It is half-written, or not JSON.") from None
    if not isinstance(content, dict):
        raise ValueError("It is no result: it is JSON, but not an object.")
    plain = (str, int, float, bool)
    run.settings |= {name: value for name, value in content.items() if isinstance(value, plain)}
