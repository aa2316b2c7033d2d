"""The static files, under names that change with their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from pwless_middleware.core.colors import Palette
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.rendering.package_files import find_package_files

_MEDIA_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_SHEET: Final = "brand.css"
_COLOR_SHEET: Final = re.compile(r"brand-([0-9a-f]{6})\.[0-9a-f]{8}\.css")


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file, to be served as `{prefix}/static/{hashed_name}` and cached for good.

    Attributes:
        name: what templates call it, `pwless.css`.
        content: its bytes.
        media_type: its whole `Content-Type`.
        hashed_name: the name with 32 bits of the content's SHA-256 in it, `pwless.3f2a91c0.css`.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str
    hashed_name: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Asset:
        """Make the asset; the name's ending says its media type."""
        stem, ending = Path(name).stem, Path(name).suffix
        digest = hashlib.sha256(content).hexdigest()[:8]
        return cls(name, content, _MEDIA_TYPES[ending], f"{stem}.{digest}{ending}")


class Assets:
    """Find static files by name.

    Args:
        palette: the brand's colours, which are a stylesheet of their own.
        sheet: that stylesheet, where it is there already (`color_sheet`); `None` makes it.
    """

    def __init__(self, palette: Palette, *, sheet: Asset | None = None) -> None:
        self._palette = palette
        self._sheet = sheet

    @cached_property
    def by_hashed_name(self) -> Mapping[str, Asset]:
        """All of them, read with the first page: finding them costs as much as making an instance.

        The key is the last part of their URL.
        """
        sheet = self._sheet or Asset.of(_SHEET, self._palette.css().encode())
        assets = [*_package_assets(), sheet]
        return {asset.hashed_name: asset for asset in assets}

    @cached_property
    def by_name(self) -> Mapping[str, Asset]:
        """All of them, by what templates call them."""
        return {asset.name: asset for asset in self.by_hashed_name.values()}

    def other_version(self, hashed_name: str) -> Asset | None:
        """Return the file of that name whose content here is another than the hash says.

        During a rolling deployment a page of one version asks a process of the other for its
        style sheet. Ours is nearer to what the page needs than none. `None` if the name is none of
        ours.
        """
        stem, _, rest = hashed_name.partition(".")
        digest, _, ending = rest.partition(".")
        if not re.fullmatch("[0-9a-f]{8}", digest):
            return None
        return self.by_name.get(f"{stem}.{ending}")


@lru_cache(maxsize=64)
def color_sheet(color: str) -> Asset:
    """Return the stylesheet of an organization's colour, under a name that says which colour it is.

    A page that one process has written may be styled by another, which has not read the
    organization: it makes the same stylesheet of the name alone.

    Args:
        color: `#rgb` or `#rrggbb`.
    """
    digits = color.lstrip("#").lower()
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    asset = Asset.of(_SHEET, Palette.of(f"#{digits}").css().encode())
    return replace(asset, hashed_name=asset.hashed_name.replace("brand.", f"brand-{digits}.", 1))


def find_color_sheet(hashed_name: str) -> Asset | None:
    """Return the stylesheet of a colour by its name, `None` where the name is none of one.

    Its hash may be that of another version of ours, as for `Assets.other_version`.
    """
    match = _COLOR_SHEET.fullmatch(hashed_name)
    return color_sheet(match[1]) if match is not None else None


@lru_cache(maxsize=1)
def _package_assets() -> tuple[Asset, ...]:
    """Return our own files, read once in a process: another brand changes none of them."""
    files = find_package_files("static", _MEDIA_TYPES)
    return tuple(Asset.of(name, file.read_bytes()) for name, file in files.items())
