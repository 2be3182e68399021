"""A page with the runs of a folder: `python -m fjax.dashboard FOLDER`."""

from fjax.dashboard.server import Dashboard as Dashboard
