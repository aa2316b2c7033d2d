"""The files of the package beside its code: templates and static files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def find_package_files(folder: str, endings: Iterable[str]) -> dict[str, Traversable]:
    """Return the package's files below a folder, by relative name; the package may be in a zip."""
    from importlib import resources  # with the first page or email, as Jinja2

    def below(place: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
        for entry in place.iterdir():
            if entry.is_dir():
                yield from below(entry, f"{path}{entry.name}/")
            elif entry.name.endswith(tuple(endings)):
                yield path + entry.name, entry

    return dict(below(resources.files("pwless_middleware") / folder, ""))
