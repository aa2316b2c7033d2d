"""What of the brand an operator may set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.operators.setting import Setting
from pwless_middleware.core.options.given_options import given_options
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text

LONGEST_LOGO: Final = 32_768
"""Characters of a logo that an operator sets: it stands in every page, and in every version."""

_EFFECT: Final = Text("Every page, email and text message that is made from then on.")


def make_brand_settings(brand: Brand | None, *, host: str) -> LiveSettings[Brand]:
    """Return the settings of the brand.

    Args:
        brand: as given in code: what it names itself is fixed; `None` fixes nothing.
        host: what the site is called where nobody says anything.
    """
    given = {name: getattr(brand, name) for name in given_options(brand)} if brand else {}
    settings = (
        Setting(
            name="name",
            title=Text("Name"),
            meaning=Text("What the product is called, on every page and in every email."),
            kind="text",
            default=host,
            least=1,
            most=100,
            effect=_EFFECT,
        ),
        Setting(
            name="logo",
            title=Text("Logo"),
            meaning=Text("A path on this origin, or a data:image/… URL; pages alone show it."),
            kind="text",
            default=None,
            most=LONGEST_LOGO,
            optional=True,
            unset=Text("The first letter of the name"),
            effect=_EFFECT,
        ),
        Setting(
            name="color",
            title=Text("Color"),
            meaning=Text("The one accent color; what stands beside it stays readable."),
            kind="text",
            default=None,
            most=7,
            optional=True,
            unset=Text("Built in"),
            effect=_EFFECT,
        ),
    )
    return LiveSettings("brand", settings, make=_make, given=given, title=Text("Brand"))


def _make(values: Mapping[str, Any]) -> Brand:
    try:
        return Brand(values["name"], logo=values["logo"], color=values["color"])
    except ConfigError as error:
        raise ConfigError(error.option.removeprefix("brand."), error.problem) from None
