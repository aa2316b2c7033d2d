"""The brand: whose login it is, on every page and in every mail."""

from __future__ import annotations

import re
from dataclasses import field

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.options.given_options import remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.errors import ConfigError
from pwless_middleware.text import Text


@named_options()
@remember_given
@dataclass(frozen=True, slots=True)
class Brand:
    """The name, logo and color on every page and in every mail.

    Args:
        name: the product's name, 1 to 100 printable characters.
        logo: a path on this origin (`/static/logo.svg`) or a `data:image/…` URL; `None` shows the
            name's first letter. Mails show the name only, so that they work without images.
        color: the accent color, `#rgb` or `#rrggbb`; `None` uses the default. Any color is safe:
            text on it and in it is adjusted until it has WCAG 2.2 contrast (`Palette`).

    With a database, operators can set what you don't set here, while the app runs.

    Raises:
        ConfigError: a value is none of these; the option is `brand.name`, `.logo` or `.color`.
    """

    name: str
    logo: str | None = field(default=None, kw_only=True)
    color: str | None = field(default=None, kw_only=True)
    _given_options: frozenset[str] = field(
        default=frozenset(), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        # Hosts without a type checker hand over what a variable or a database gave them.
        given: dict[str, object] = {"name": self.name, "logo": self.logo, "color": self.color}
        for option, value in given.items():
            if not isinstance(value, str) and (value is not None or option == "name"):
                raise ConfigError(f"brand.{option}", Text("set a text"))
        if not (0 < len(self.name) <= 100 and self.name.strip() and self.name.isprintable()):
            raise ConfigError("brand.name", Text("set 1 to 100 printable characters"))
        if self.logo is not None and not re.fullmatch(
            # A browser reads `//host` and `/\host` as another origin.
            r"/(?![/\\])[!-\[\]-~]*|data:image/[a-z0-9.+-]+[;,][!-~]*",
            self.logo,
        ):
            raise ConfigError(
                "brand.logo",
                Text("set a path that begins with one slash, or a data:image/… URL"),
            )
        if self.color is not None and not re.fullmatch(
            r"#(?:[0-9A-Fa-f]{3}){1,2}", self.color, re.ASCII
        ):
            raise ConfigError("brand.color", Text("set a colour such as #3d4ed8 or #34d"))
