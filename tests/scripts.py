"""Scripts of docs/ and examples/ as modules, for the tests that ask whether pages are what they write."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def script(path: Path) -> ModuleType:
    """Return the script in a file as a module, run anew."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = found  # where dataclasses look for themselves
    spec.loader.exec_module(found)
    return found
