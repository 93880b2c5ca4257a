"""Where the recordings and reference tables are; they are never part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data folder: $NEUROCYCLE_DATA, else `../shared/data` beside the repository; skips where there is none."""
    named = os.environ.get("NEUROCYCLE_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no data folder at {folder}; set NEUROCYCLE_DATA")
    return folder
