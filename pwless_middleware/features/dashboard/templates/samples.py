"""What a preview and a test show in the place of variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_duration, format_time
from pwless_middleware.rendering.mail_templates.mails import Mail
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

KINDS: Final[Mapping[str, Text]] = {
    "LINK_OTP": Text("Code and link"),
    "OTP": Text("A code alone"),
    "LINK": Text("A link alone"),
}
"""What a sign-in can be sent as."""
CODE: Final = "271828"
_LIFE: Final = 300


def make_values(kit: Kit, mail: Mail, *, kind: str, email: str) -> dict[str, object]:
    """Return a value for each variable of a mail, in the language that is being written.

    Args:
        kit: everything below.
        mail: which.
        kind: what it is sent as, of `KINDS`.
        email: whom the mail seems to be sent to.
    """
    has_code = "code" in mail.wanted and kind != "LINK"
    has_link = "link" in mail.wanted and (kind != "OTP" or "code" not in mail.wanted)
    until = kit.clock() + _LIFE
    link = f"{kit.origin.url}{kit.prefix}/link?link_token=example"
    return {
        **{one.name: one.sample for one in mail.own},
        **dict.fromkeys(_callers_variables(kit, mail), translate(Text("(of your app)"))),
        "kind": kind if "code" in mail.wanted else "LINK",
        "code": CODE if has_code else None,
        "otp": CODE if has_code else None,
        "subject_code": None,
        "link": link if has_link else None,
        "email": email,
        "host": kit.origin.host.partition(":")[0],
        "device": translate(Text("%(browser)s on %(system)s", browser="Firefox", system="Linux")),
        "asked_at": format_time(kit.clock()),
        "expiry_time_relative": format_duration(_LIFE),
        "expiry_time": format_time(until),
        "expire_time": str(until),
    }


def _callers_variables(kit: Kit, mail: Mail) -> frozenset[str]:
    if kit.mail_templates is None:
        return frozenset()
    return kit.mail_templates.rules.callers_variables(mail.name)
