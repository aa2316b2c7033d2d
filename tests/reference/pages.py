"""The pages that are made from the code; `python -m tests.guide` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.guide import FOLDER
from tests.reference.names import python_reference
from tests.reference.operations import api_reference

GENERATED: Final[Mapping[str, Callable[[], str]]] = {
    "api-reference": api_reference,
    "python-reference": python_reference,
}
"""The names of the pages, and what makes each."""


def write() -> None:
    """Write each page anew."""
    for name, make in GENERATED.items():
        file = FOLDER / f"{name}.md"
        file.write_text(make(), "utf-8")
        print(f"{file.name}: {len(file.read_text('utf-8').splitlines())} lines")
