"""The name of a browser, from a closed vocabulary.

A User-Agent is the sender's own text. It goes into mails and pages only as one of the pairs below,
so that nobody can write to a stranger through us (security rule 16). Order decides: Chromium-based
browsers all claim to be Chrome and Safari, and Android claims to be Linux.
"""

from __future__ import annotations

from pwless_middleware.text import Text

UNKNOWN = Text("an unknown browser")

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)

NAMES = (
    "",
    UNKNOWN,
    *(f"{b} on {s}" for b in dict.fromkeys(n for _, n in _BROWSERS) for _, s in _SYSTEMS),
)
"""Every name there is. A stored challenge keeps a name's place here, so a change of the lists above
needs a new format version; a place that is not here reads as unknown."""


def device_of(user_agent: str) -> str:
    """Name a browser from its User-Agent: `Firefox on Linux`, else `an unknown browser`."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if browser and system else UNKNOWN


def device_text(name: str) -> str:
    """Return one of `NAMES` as a text that can be translated."""
    browser, on, system = name.partition(" on ")
    return Text("%(browser)s on %(system)s", browser=browser, system=system) if on else name


def icon_of(name: str) -> str:
    """Return the icon of one of `NAMES`: `phone`, `tablet`, `computer`, or `program` for none."""
    if not name:
        return "program"
    system = name.rpartition(" on ")[2]
    return {"iPhone": "phone", "Android": "phone", "iPad": "tablet"}.get(system, "computer")
