"""The JSON fields of the calls and of their answers."""

from __future__ import annotations

from collections.abc import Mapping

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.people.given_name import LONGEST
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.login_responses import ORGANIZATION
from pwless_middleware.web.responses.session_json import time_field

_EXAMPLE_ID = "dGhpcyBpcyBvbmx5IGFuIGV4YW1wbGU"

CEREMONY_ID = Field(
    about="As the options came with it.",
    example="dGhpcyBpcyBvbmx5IGFuIGV4YW1wbGUgb2YgYW4gaWQgb2Ygb3Vycy4uLi4",
    required=True,
    shortest=1,
    longest=450,
)
CREDENTIAL = Field(
    kind="json",
    about="What the browser answered: `credential.toJSON()` (WebAuthn Level 3 §5.1).",
    required=True,
)
_NAME = Field(
    about="What the person calls it: one line of plain text.",
    example="My phone",
    longest=LONGEST,
)

LOGIN_OPTIONS = Fields(
    {
        "platform_authenticator": Field(
            kind="boolean",
            about="Whether this browser can make passkeys by itself: "
            "`PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()`.",
            example=True,
        )
    }
)
VERIFY = Fields({"ceremony_id": CEREMONY_ID, "credential": CREDENTIAL})
LOGIN = Fields({**VERIFY.fields, "organization": ORGANIZATION})
CREATION_OPTIONS = Fields(
    {
        "conditional": Field(
            kind="boolean",
            about="Whether the browser makes it without asking (`mediation: 'conditional'`).",
            example=False,
        )
    }
)
ADD = Fields({**VERIFY.fields, "name": _NAME})
RENAME = Fields(
    {
        "name": Field(
            about=_NAME.about, example="My phone", required=True, shortest=1, longest=LONGEST
        )
    }
)

PROMPT = Fields(
    {
        "ceremony_id": CEREMONY_ID,
        "expires_at": time_field("When it ends"),
        "expires_in": Field(
            kind="integer", about="Seconds until then.", example=300, required=True, least=0
        ),
        "options": Field(
            kind="json",
            about="For `PublicKeyCredential.parseRequestOptionsFromJSON` or "
            "`parseCreationOptionsFromJSON`.",
            required=True,
        ),
    }
)
PASSKEY = Fields(
    {
        "id": Field(about="Its credential id.", example=_EXAMPLE_ID, required=True),
        "name": Field(
            about="What the person calls it, or what keeps it; empty if neither is known.",
            example="iCloud Keychain",
            required=True,
        ),
        "aaguid": Field(
            about="The model of what keeps it, as that says itself; zeros for none.",
            example="fbfc3007-154e-4ecc-8c0b-6e020557d7bd",
            required=True,
        ),
        "transports": Field(
            kind="strings", about="How it is reached.", example=["internal"], required=True
        ),
        "is_synced": Field(
            kind="boolean",
            about="Whether it may be on several devices of its owner.",
            example=True,
            required=True,
        ),
        "is_backed_up": Field(
            kind="boolean",
            about="Whether it outlasts the loss of a device, as of its last use.",
            example=True,
            required=True,
        ),
        "created_at": time_field("When it was made"),
        "used_at": time_field("When it was last used; absent for never", required=False),
    }
)
PASSKEYS = Fields(
    {
        "passkeys": Field(
            kind="objects", about="All of the person, oldest first.", required=True, fields=PASSKEY
        ),
        "rp_id": Field(about="The relying party's id.", example="app.example.com", required=True),
        "user_handle": Field(
            about="By which browsers know the person, for the Signal API; absent for who never had "
            "a passkey.",
            example="dGhpcyBpcyBvbmx5IGFuIGV4YW1wbGUgb2YgMzIgYnl0ZXM",
        ),
        "user_name": Field(about="The person's address.", example="jo@example.com", required=True),
        "user_display_name": Field(about="What the person is called.", example="Jo", required=True),
    }
)


def public_passkey(passkey: Passkey) -> Mapping[str, object]:
    """Return a passkey, ready for JSON; `PASSKEY` describes it."""
    found: dict[str, object] = {
        "id": b64(passkey.id),
        "name": passkey.name,
        "aaguid": passkey.aaguid,
        "transports": list(passkey.transports),
        "is_synced": passkey.is_synced,
        "is_backed_up": passkey.is_backed_up,
        "created_at": str(passkey.created_at),
    }
    if passkey.used_at is not None:
        found["used_at"] = str(passkey.used_at)
    return found
