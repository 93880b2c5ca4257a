"""Numba kernels: arrays in, integers out.  Nothing of `simulator` is imported here.

Numba's own cache serves stale code after an edit in a called module (numba #1833, #9483, #8359) and mixes code
compiled under different NUMBA_* settings.  So the cache folder is named by a hash of every kernel source, the
versions that shape the code, and every NUMBA_* setting; it is set before the first kernel is decorated.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numba


def cache_digest() -> str:
    """Hash that names the cache folder: kernel sources, interpreter, numba, and NUMBA_* settings."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    ignored = ("NUMBA_CACHE_DIR",)
    settings = sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in ignored)
    digest.update(repr((settings, sys.version_info[:3], numba.__version__)).encode())
    return digest.hexdigest()[:16]


def cache_root() -> Path:
    """Folder that holds one cache per digest: $NEUROCYCLE_CACHE, else the user's cache folder."""
    root = os.environ.get("NEUROCYCLE_CACHE")
    if root:
        return Path(root)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "neurocycle" / "kernels"


numba.config.CACHE_DIR = str(cache_root() / cache_digest())
