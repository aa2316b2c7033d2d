"""Where packages of npm are found: in a `node_modules` beside or above the repository."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.needs import lacking

_HERE = Path(__file__).resolve().parent


def need_package(name: str) -> str:
    """Return the program `node`; skip or fail where it, or a package of npm, is not installed.

    Node looks for packages in the folder `node_modules` of each folder above the script.
    """
    node = shutil.which("node")
    if node is None:
        lacking("no node on the PATH: install your system's package `nodejs`")
    if not any((above / "node_modules" / name).is_dir() for above in _HERE.parents):
        lacking(f"no package {name} of npm: run `npm install --no-save {name}` in the repository")
    return node
