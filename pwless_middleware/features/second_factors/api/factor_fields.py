"""The JSON fields of the resource `factors`, and of a server's `users/{id}/factors`.

No answer holds a secret but the one that has just made it, once, for its own person: the secret of
an authenticator app until it is confirmed, and new recovery codes. A phone number is told by its
last digits alone (security rule 43).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.people.factor import Factor, FactorReset, FactorState, TrustedBrowser
from pwless_middleware.core.people.given_name import LONGEST
from pwless_middleware.features.second_factors.api.step_fields import CODE, ENROLLMENT_ID, NAME
from pwless_middleware.features.second_factors.recovery.reset import ResetResult
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.session_json import time_field

_EXAMPLE_ID: Final = "dGhpcyBpcyBvbmx5IGFuIA"


def _count(about: str, example: int) -> Field:
    return Field(kind="integer", about=about, example=example, required=True, least=0)


CONFIRM: Final = Fields(
    {
        "enrollment_id": Field(
            about=ENROLLMENT_ID.about,
            example=ENROLLMENT_ID.example,
            required=True,
            shortest=1,
            longest=ENROLLMENT_ID.longest,
        ),
        "code": CODE,
        "name": NAME,
    }
)
RENAME: Final = Fields(
    {
        "name": Field(
            about=NAME.about, example=NAME.example, required=True, shortest=1, longest=LONGEST
        )
    }
)

FACTOR: Final = Fields(
    {
        "id": Field(about="Its id.", example=_EXAMPLE_ID, required=True),
        "kind": Field(
            about="An authenticator app, or a phone number.",
            example="totp",
            required=True,
            one_of=("totp", "sms"),
        ),
        "name": Field(
            about="What the person calls it; empty for nothing.", example="My phone", required=True
        ),
        "phone_ending": Field(about="The last digits of a phone number.", example="34"),
        "created_at": time_field("When it was added"),
        "used_at": time_field("When it was last used; absent for never", required=False),
    }
)
FACTORS: Final = Fields(
    {
        "factors": Field(
            kind="objects",
            about="All of the person, oldest first, but passkeys.",
            required=True,
            fields=FACTOR,
        ),
        "recovery_codes": _count("How many recovery codes were made, used or not.", 10),
        "recovery_codes_left": _count("How many of them can still be used.", 9),
        "reset_due_at": time_field(
            "When all of them will be removed, for an operator was asked to; absent otherwise",
            required=False,
        ),
    }
)
ENROLLMENT: Final = Fields(
    {
        "enrollment_id": Field(
            about="Goes back with the code.", example=_EXAMPLE_ID, required=True
        ),
        "secret": Field(
            about="What the app is set up with, in Base32, for who types it; never told again.",
            example="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            required=True,
        ),
        "uri": Field(
            about="The same as a link: for a QR code, or an app on this device.",
            example="otpauth://totp/Acme:jo%40example.com?secret=…&issuer=Acme",
            required=True,
        ),
        "expires_at": time_field("Until when it can be confirmed"),
    }
)
ADDED: Final = Fields(
    {
        "factor": Field(kind="object", about="What was added.", required=True, fields=FACTOR),
        "session_token": Field(
            about="The session, renewed by the code, where it was a token that asked; the old one "
            "has ended.",
            example="pws_…",
            also={"pattern": "^pws_"},
        ),
        "session_expires_at": time_field("When that session ends whatever happens", required=False),
    }
)
RECOVERY_CODES: Final = Fields(
    {
        "recovery_codes": Field(
            kind="strings",
            about="Ten, each good once; never told again. Older ones are void.",
            example=["7K3P-QW9M-4TXE-R8HV"],
            required=True,
        )
    }
)
TRUSTED_BROWSERS: Final = Fields(
    {
        "trusted_browsers": Field(
            kind="objects",
            about="In which no second factor is asked for, newest first.",
            required=True,
            fields=Fields(
                {
                    "id": Field(about="Its id.", example=_EXAMPLE_ID, required=True),
                    "device": Field(
                        about="The browser in our own words.",
                        example="Firefox on Linux",
                        required=True,
                    ),
                    "is_current": Field(
                        kind="boolean",
                        about="Whether it is the one that asks.",
                        example=True,
                        required=True,
                    ),
                    "created_at": time_field("Since when"),
                    "expires_at": time_field("Until when"),
                    "used_at": time_field(
                        "When it was last not asked for; absent for never", required=False
                    ),
                }
            ),
        )
    }
)
RESET: Final = Fields(
    {
        "is_done": Field(
            kind="boolean",
            about="Whether they are removed, and the user is signed out everywhere.",
            example=True,
            required=True,
        ),
        "removed": _count("How many are removed, passkeys not counted.", 2),
        "due_at": time_field("When it is done, unless the user objects", required=False),
    }
)


def public_factor(factor: Factor) -> Mapping[str, object]:
    """Return a factor, ready for JSON; `FACTOR` describes it."""
    found: dict[str, object] = {
        "id": factor.id,
        "kind": factor.kind,
        "name": factor.name,
        "created_at": str(factor.created_at),
    }
    if factor.phone:
        found["phone_ending"] = factor.phone[-2:]
    if factor.used_at is not None:
        found["used_at"] = str(factor.used_at)
    return found


def public_state(state: FactorState, waiting: FactorReset | None) -> Mapping[str, object]:
    """Return a person's factors, ready for JSON; `FACTORS` describes them.

    Args:
        state: the factors.
        waiting: the reset that waits; `None` for none.
    """
    found: dict[str, object] = {
        "factors": [public_factor(factor) for factor in state.factors],
        "recovery_codes": state.recovery_codes,
        "recovery_codes_left": state.recovery_codes_left,
    }
    if waiting is not None:
        found["reset_due_at"] = str(waiting.due_at)
    return found


def public_browser(browser: TrustedBrowser, *, is_current: bool) -> Mapping[str, object]:
    """Return a trusted browser, ready for JSON; `TRUSTED_BROWSERS` describes it."""
    found: dict[str, object] = {
        "id": b64(browser.id),
        "device": browser.device,
        "is_current": is_current,
        "created_at": str(browser.created_at),
        "expires_at": str(browser.expires_at),
    }
    if browser.used_at is not None:
        found["used_at"] = str(browser.used_at)
    return found


def public_reset(result: ResetResult) -> Mapping[str, object]:
    """Return what became of a reset, ready for JSON; `RESET` describes it."""
    found: dict[str, object] = {"is_done": result.due_at is None, "removed": result.removed}
    if result.due_at is not None:
        found["due_at"] = str(result.due_at)
    return found
