"""How a brand would look, in light and in dark, before it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.colors import DEFAULT_COLOR, Palette
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError, InvalidArgument
from pwless_middleware.features.dashboard.settings.fields import SettingField
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/dashboard/settings/preview.css"
_QUERY: Final = Fields({"color": Field(about="As `brand.color`; empty for ours.", longest=7)})


@dataclass(frozen=True, slots=True)
class Look:
    """What the preview shows.

    Attributes:
        brand: with what was typed, as far as it can be.
        color: of the stylesheet, quoted for a query; empty for ours.
    """

    brand: Brand
    color: str


class BrandPreview:
    """Show what was typed, and serve the colors that follow from it.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (Route(PATH, {"GET": self.show_colors}),)

    def preview(self, fields: Sequence[SettingField]) -> Look:
        """Return what the fields of a form look like; what cannot be a brand, as it is now."""
        brand = self._kit.renderer.brand
        typed: dict[str, str | None] = {
            "name": brand.name,
            "logo": brand.logo,
            "color": brand.color,
        }
        for field in fields:
            option, value = field.name.partition(".")[2], field.value.strip() or None
            if field.is_fixed:
                continue
            try:  # one by one, so that one that cannot be hides no other
                Brand(**{"name": "x", option: value})  # type: ignore[arg-type]  # it says so
            except ConfigError:
                continue
            typed[option] = value
        looks = Brand(typed["name"] or brand.name, logo=typed["logo"], color=typed["color"])
        return Look(looks, quote(looks.color or ""))

    async def show_colors(self, request: Request) -> Response:
        """Return the colors of both schemes, each for the part of the page that shows it."""
        await self._kit.operators.require(request, "admin")
        color = read_query(request, _QUERY).text("color")
        try:
            palette = Palette.of(Brand("x", color=color or DEFAULT_COLOR).color or DEFAULT_COLOR)
        except ConfigError:
            raise InvalidArgument.of("color", Text("This is no color."), "color") from None
        css = palette.light.css(".look.light") + "\n" + palette.dark.css(".look.dark") + "\n"
        headers = {**EVERYWHERE, "x-content-type-options": "nosniff"}
        return Response(css, 200, headers, "text/css; charset=utf-8")
