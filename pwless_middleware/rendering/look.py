"""How a brand looks: its colors, its static files, and what templates are given of it."""

from __future__ import annotations

from functools import cached_property

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.colors import DEFAULT_COLOR, Palette
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.links import break_foreign
from pwless_middleware.rendering.assets import Assets, color_sheet


class Look:
    """What follows from a brand; made anew as a whole where an operator sets another one.

    Args:
        brand: whose.
        is_deployments: whether it is the deployment's, and no organization's.
    """

    def __init__(self, brand: Brand, *, is_deployments: bool = True) -> None:
        self.brand = brand
        self._is_deployments = is_deployments

    @cached_property
    def palette(self) -> Palette:
        """The brand's colours, found with the first page or email: that takes a while."""
        return Palette.of(self.brand.color or DEFAULT_COLOR)

    @cached_property
    def values(self) -> dict[str, object]:
        """What every template is given."""
        return {"brand": self.brand, "palette": self.palette}

    @cached_property
    def dotted(self) -> dict[str, object]:
        """What templates that operators edit are given, by the names with a dot."""
        schemes = {"light": self.palette.light, "dark": self.palette.dark}
        colors = {
            f"palette.{name}.{color}": getattr(scheme, color)
            for name, scheme in schemes.items()
            for color in scheme.__slots__
        }
        return {"brand.name": self.brand.name, **colors}

    @cached_property
    def assets(self) -> Assets:
        """The static files."""
        if self._is_deployments:
            return Assets(self.palette)
        return Assets(self.palette, sheet=color_sheet(self.brand.color or DEFAULT_COLOR))


@dataclass(frozen=True, slots=True)
class _MailBrand:
    """A brand as the body of a mail is given it: its name is text, and no link (`core.links`)."""

    name: str
    logo: str | None
    color: str | None


def brand_of_mail(brand: Brand, host: object) -> Brand | _MailBrand:
    """Return a brand as the body of a mail is given it.

    Args:
        brand: whose.
        host: the login's own, to which a name may link.
    """
    name = break_foreign(brand.name, str(host))
    return brand if name == brand.name else _MailBrand(name, brand.logo, brand.color)
