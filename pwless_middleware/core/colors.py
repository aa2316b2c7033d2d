"""One accent colour, and all that must stay readable beside it (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.dataclass import dataclass

_Rgb = tuple[int, int, int]
_BLACK: Final[_Rgb] = (0, 0, 0)
_WHITE: Final[_Rgb] = (255, 255, 255)

DEFAULT_COLOR: Final = "#3d4ed8"
"""The accent of who names none."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of one of the two schemes, light or dark.

    Attributes:
        page: behind everything.
        card: behind the text.
        accent: the brand's colour as it was given, unless it is so near to the card's that a
            button could not be seen; then black or white.
        on_accent: white where it reads on the accent by 4.5:1 (WCAG 2.2, 1.4.3), else black, which
            then does.
        hover: the accent a little further away from `on_accent`.
        link: the accent as text, at least 4.5:1 on page and card (WCAG 2.2, 1.4.3).
        edge: the accent as a line, such as the focus ring, at least 3:1 (WCAG 2.2, 1.4.11).
    """

    page: str
    card: str
    accent: str
    on_accent: str
    hover: str
    link: str
    edge: str

    @classmethod
    def of(cls, accent: _Rgb, *, page: str, card: str, pole: _Rgb) -> Scheme:
        """Work out the rest from the two surfaces; `pole` is the end that is far from them."""
        surfaces = [_rgb(page), _rgb(card)]
        if _contrast(accent, surfaces[1]) < 1.2:
            accent = pole
        # White, as brands set it, and not the better of the two: on #e0245e black reads better.
        on_black = _contrast(accent, _WHITE) < 4.5
        return cls(
            page=page,
            card=card,
            accent=_hex(accent),
            on_accent="#000" if on_black else "#fff",
            hover=_hex(_mix(accent, _WHITE if on_black else _BLACK, 0.12)),
            link=_readable(accent, surfaces, 4.5, pole),
            edge=_readable(accent, surfaces, 3.0, pole),
        )

    def css(self, selector: str = ":root") -> str:
        """Return the colours as custom properties, for the stylesheet beside this module.

        Args:
            selector: of what has them; default the whole page.
        """
        values = ((name.replace("_", "-"), getattr(self, name)) for name in self.__slots__)
        return selector + "{" + ";".join(f"--{name}:{value}" for name, value in values) + "}"


@dataclass(frozen=True, slots=True)
class Palette:
    """What follows from one accent colour, in both schemes; in every template as `palette`."""

    light: Scheme
    dark: Scheme

    @classmethod
    def of(cls, color: str) -> Palette:
        """Work out all colours from `#rgb` or `#rrggbb`."""
        accent = _rgb(color)
        return cls(
            light=Scheme.of(accent, page="#f6f7f9", card="#ffffff", pole=_BLACK),
            dark=Scheme.of(accent, page="#0c0d10", card="#15171c", pole=_WHITE),
        )

    def css(self) -> str:
        """Return both schemes as one stylesheet."""
        return f"{self.light.css()}\n@media (prefers-color-scheme:dark){{{self.dark.css()}}}\n"


def _rgb(color: str) -> _Rgb:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _hex(color: _Rgb) -> str:
    return "#" + bytes(color).hex()


def _mix(color: _Rgb, other: _Rgb, share: float) -> _Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return red, green, blue


def _contrast(one: _Rgb, other: _Rgb) -> float:
    """Return the contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio" and "relative luminance")."""

    def luminance(color: _Rgb) -> float:
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (value / 255 for value in color)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(color: _Rgb, surfaces: list[_Rgb], ratio: float, pole: _Rgb) -> str:
    """Move `color` towards `pole` just until it stands out on every surface by `ratio`."""
    steps = (_mix(color, pole, step / 50) for step in range(51))
    return _hex(
        next(c for c in steps if all(_contrast(c, surface) >= ratio for surface in surfaces))
    )
