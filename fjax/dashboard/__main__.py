"""The command `python -m fjax.dashboard FOLDER`."""

import argparse
import sys
from collections.abc import Sequence

from fjax.dashboard.server import Dashboard


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m fjax.dashboard",
        description="Show the runs of a folder in the browser of this machine, as they train.",
    )
    parser.add_argument("folder", help="the folder with runs; it is only read")
    parser.add_argument("--port", type=int, help="the port; by default a free one")
    options = parser.parse_args(arguments)
    try:
        dashboard = Dashboard(options.folder, options.port)
    except (OSError, ValueError, OverflowError) as error:
        print(f"fjax.dashboard: {error.args[-1]}", file=sys.stderr)
        return 1
    print(
        f"The runs of {options.folder} are at\n  {dashboard.url}\nCtrl-C ends the page.", flush=True
    )
    dashboard.serve_until_interrupted()
    return 0


if __name__ == "__main__":
    sys.exit(main())
