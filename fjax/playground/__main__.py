"""`python -m fjax.playground`: open the playground in the browser."""

import argparse
import errno
import sys
import threading
import webbrowser

from fjax.playground.server import PlaygroundServer


def main() -> int:
    """Serve the page until Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m fjax.playground",
        description="Open a page on which small neural networks learn before your eyes.",
    )
    parser.add_argument("--port", type=int, default=0, help="the port; by default any free one")
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address, and open no browser"
    )
    arguments = parser.parse_args()
    try:
        server = PlaygroundServer(arguments.port)
    except (OSError, OverflowError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = "is in use: choose another one, or leave `--port` out for a free one"
        else:
            reason = f"cannot be used: {error}"
        print(f"Port {arguments.port} {reason}.", file=sys.stderr)
        return 2
    print(f"The playground is at {server.address}\nCtrl-C ends it.", flush=True)
    # The programs of the first network are compiled while the browser opens.
    threading.Thread(target=server.pages.warm_up, daemon=True).start()
    if not arguments.no_browser:
        webbrowser.open(server.address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
