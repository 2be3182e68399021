from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return two empty folders, the user's and the cache, which replace those of the machine."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("FJAX_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FJAX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data", tmp_path / "cache"


@pytest.fixture
def shared(monkeypatch):
    """Return the folder of real files beside the repository; without it, skip the test."""
    if not SHARED.is_dir():
        pytest.skip("there is no folder ../shared/data")
    monkeypatch.setenv("FJAX_DATA", str(SHARED))
    return SHARED
