"""The JSON fields of the three calls and of their answers."""

from __future__ import annotations

from functools import lru_cache

from pwless_middleware.core.challenges.codes import HIGH_ALPHABET, CodeStyle
from pwless_middleware.core.challenges.pasted_text import MAX_CODE
from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.features.email_login.flow import MAX_VARIABLES
from pwless_middleware.languages.negotiation import LANGUAGE_TAG
from pwless_middleware.rendering.renderer import RESERVED_VARIABLES
from pwless_middleware.text import Text
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.login_responses import ORGANIZATION, SIGNED_IN

_KINDS = ("OTP", "LINK", "LINK_OTP")
_TEMPLATES = ("SIGNIN", "SIGNUP")
_EXAMPLE_ID = "dGhpcyBpcyBvbmx5IGFuIGV4YW1wbGUgb2YgYW4gaWQgb2Ygb3Vycy4uLi4"
_CODE_PATTERNS = {
    "standard": r"^[ -]*([0-9][ -]*){6}$",
    "high": f"^[ -]*([{HIGH_ALPHABET}{HIGH_ALPHABET.lower()}][ -]*){{8}}$",
}
# The flow refuses these (control and bidi characters, links); here they are described.
_NO_CONTROL = f"[^{CONTROL}{LINE_ENDS}{BIDI}]*$"
_PLAIN_TEXT = "^(?!.*://)(?!.*[wW][wW][wW][.])" + _NO_CONTROL


EMAIL = Field(
    about="One email address: an ASCII dot-atom, @, a domain name.",
    example="jo@example.com",
    required=True,
    shortest=1,
    longest=254,
    also={"format": "email"},
)
NEW_ADDRESS = Fields({"email": EMAIL})

LOCALE = Field(
    about="A language tag: what the email and the `message` of this answer are written in, unless "
    "the person has chosen a language. Where there is no such language, it is as if none was sent.",
    example="pt-BR",
    pattern=LANGUAGE_TAG,
    otherwise=Text("Send a language tag such as de or pt-BR."),
)

DEVICE_TOKEN = Field(
    about="With an API key: what the last verify gave for this person's device, so that strangers "
    "cannot use up its limits. One that is not known counts as none.",
    longest=200,
)


@lru_cache(maxsize=4)  # few are asked for: it changes with the settings
def send_fields(*, longest: int) -> Fields:
    """Describe what `send` takes.

    Args:
        longest: seconds, the most that `expires_in` may ask for.
    """
    return Fields(
        {
            "email": EMAIL,
            "template": Field(
                about="The email's wording; SIGNIN if it is not sent.",
                example="SIGNIN",
                one_of=_TEMPLATES,
            ),
            "magiclink_auth_uri": Field(
                about="The page of yours that the link opens, one of those that were configured. "
                "A server that names none gets an email with a code alone.",
                shortest=1,
                longest=1000,
                also={"format": "uri"},
            ),
            "state": Field(
                about="Your own text; verify returns it unchanged.", example="cart-42", longest=1000
            ),
            "expires_in": Field(
                kind="integer",
                about="Seconds that the code and the link live.",
                example=300,
                least=60,
                most=longest,
            ),
            "organization": ORGANIZATION,
            "locale": LOCALE,
            "device_token": DEVICE_TOKEN,
            "template_variables": Field(
                kind="texts",
                about="Words for the email's template. Only with an API key. Plain text: no "
                "control characters, and nothing that looks like a link.",
                also={
                    "maxProperties": MAX_VARIABLES,
                    "propertyNames": {
                        "minLength": 2,
                        "maxLength": 25,
                        "pattern": "^" + _NO_CONTROL,
                        "not": {"enum": sorted(RESERVED_VARIABLES)},
                    },
                    "additionalProperties": {
                        "type": "string",
                        "maxLength": 256,
                        "pattern": _PLAIN_TEXT,
                    },
                },
            ),
        }
    )


@lru_cache(maxsize=4)
def verify_fields(*, code: CodeStyle, same_browser: bool) -> Fields:
    """Describe what `verify` takes: a code, or a link token.

    Args:
        code: how codes look.
        same_browser: whether a link token needs the request id beside it.
    """
    by_code = ["auth_request_id", "code"]
    by_link = ["auth_request_id", "link_token"] if same_browser else ["link_token"]
    return Fields(
        {
            "auth_request_id": _request_id(required=False),
            "device_token": DEVICE_TOKEN,
            "code": _code(code, required=False),
            "link_token": Field(about="The token from the link.", shortest=1, longest=200),
        },
        also={
            "oneOf": [
                {"required": by_code, "not": {"required": ["link_token"]}},
                {"required": by_link, "not": {"required": ["code"]}},
            ]
        },
    )


def confirm_fields(*, code: CodeStyle) -> Fields:
    """Describe what confirms a new address."""
    request_id = _request_id(required=True)
    return Fields({"auth_request_id": request_id, "code": _code(code, required=True)})


def _code(code: CodeStyle, *, required: bool) -> Field:
    return Field(
        about="The code from the email. The pattern is what to send; what people paste is read as "
        "well: other digits, invisible characters, and words around one code.",
        example="123456" if code == "standard" else "BCDF-GHJK",
        required=required,
        shortest=1,
        longest=MAX_CODE,
        also={"pattern": _CODE_PATTERNS[code]},
    )


def _request_id(*, required: bool) -> Field:
    return Field(
        about="The id that send, or the last resend, gave.",
        example=_EXAMPLE_ID,
        required=required,
        shortest=1,
        longest=200,
    )


RESEND = Fields(
    {
        "auth_request_id": _request_id(required=True),
        "locale": LOCALE,
        "device_token": DEVICE_TOKEN,
    }
)

_KIND = Field(
    about="What the email carries: a code, a link, or both.",
    example="OTP",
    required=True,
    one_of=_KINDS,
)

SENT = Fields(
    {
        "auth_request_id": _request_id(required=True),
        "expires_at": Field(
            about="When code and link end, unix seconds.",
            example="1767225600",
            required=True,
            also={"pattern": "^[0-9]+$"},
        ),
        "expires_in": Field(
            kind="integer", about="Seconds until then.", example=300, required=True, least=0
        ),
        "passwordless_type": _KIND,
        "resend_after": Field(
            kind="integer",
            about="Seconds until the next resend is accepted.",
            example=0,
            required=True,
            least=0,
        ),
    }
)

VERIFIED = Fields(
    {
        "email": SIGNED_IN.fields["email"],
        "state": Field(about="What send was given; absent if nothing.", example="cart-42"),
        "template": Field(
            about="What send was given.", example="SIGNIN", required=True, one_of=_TEMPLATES
        ),
        "passwordless_type": _KIND,
        **{name: one for name, one in SIGNED_IN.fields.items() if name != "email"},
    }
)

ADDRESS_CHANGED = SIGNED_IN
