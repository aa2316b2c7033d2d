"""What the resource of steps reads and answers."""

from __future__ import annotations

from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import PRINTABLE

LOGIN_ID = Field(
    about="As `STEP_REQUIRED` gave it.",
    example="AbC…",
    shortest=1,
    longest=200,
    also={"pattern": PRINTABLE},
)
METHOD = Field(
    about="By which it is done; one that the step names.",
    example="totp",
    required=True,
    shortest=1,
    longest=40,
)
QUERY = Fields({"login_id": LOGIN_ID})
BODY = Fields(
    {
        "login_id": LOGIN_ID,
        "method": METHOD,
    }
)
ASKED = Fields(
    {
        "login_id": Field(about="Of the pending login; absent for a live session.", example="AbC…"),
        "expires_at": Field(
            about="When the pending login ends, unix seconds.",
            example="1767225600",
            also={"pattern": "^[0-9]+$"},
        ),
        "enrolls": Field(
            kind="boolean",
            about="Whether the proof is made in this step, since there is none yet.",
            example=False,
            required=True,
        ),
        "methods": Field(
            kind="objects",
            about="The ways to do it, each with what it needs.",
            required=True,
            fields=Fields(
                {
                    "method": Field(about="Its name.", example="passkey", required=True),
                    "strength": Field(
                        about="What its proof is worth.", example="any", required=True
                    ),
                }
            ),
        ),
    }
)
SENT = Fields(
    {
        "expires_at": Field(
            about="When what was sent or begun ends, unix seconds.",
            example="1767225600",
            also={"pattern": "^[0-9]+$"},
        ),
        "sent_to": Field(about="Where a text message went, most of it hidden.", example="•••• 12"),
        "resend_after": Field(
            kind="integer", about="Seconds until it can be sent again.", example=60
        ),
        "enrollment_id": Field(about="Send it back with the code.", example="AbC…"),
        "secret": Field(
            about="Of an authenticator app, in Base32: for who cannot scan.",
            example="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        ),
        "uri": Field(
            about="Of an authenticator app, for its QR code.",
            example="otpauth://totp/Acme:jo%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Acme",
        ),
    }
)
