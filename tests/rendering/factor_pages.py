"""The pages of second factors, with what they are given: for the tests of all pages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from markupsafe import Markup

Context = dict[str, Any]

PAGE_URL: Final = "/auth/account/second-factors"
NO_ERROR: Context = {"notice": None, "error": None, "problem": None, "wait": 0}
PASSKEY_WAY: Final = SimpleNamespace(
    name="passkey", title="Passkey", hint="", url="/auth/step/second-factor?method=passkey"
)
PHONE: Final = SimpleNamespace(id="f2", digits="+49 ••• 17")
APP: Final = SimpleNamespace(
    id="f1",
    kind="totp",
    name="Old phone",
    own_name="Old phone",
    fact="",
    created_at="3 May 2026",
    created_iso="2026-05-03T08:40:00Z",
    used_at="9 May 2026",
    used_iso="2026-05-09T08:40:00Z",
)
NUMBER: Final = SimpleNamespace(
    **vars(APP) | {"id": "f2", "kind": "sms", "name": "+49 ••• 17", "own_name": "", "used_at": ""}
)
BROWSER: Final = SimpleNamespace(
    id="b1",
    device="Firefox on Linux",
    icon="computer",
    is_this=True,
    created_at="3 May 2026",
    created_iso="2026-05-03T08:40:00Z",
    expires_at="9 May 2026",
    expires_iso="2026-05-09T08:40:00Z",
)
STEP: Context = NO_ERROR | {
    "user_email": "ada@example.com",
    "icon": "totp",
    "part_of": "second_factors/totp.html",
    "is_scripted": False,
    "is_stuck": False,
    "others": [PASSKEY_WAY],
    "trusted_days": 30,
    "phones": [PHONE],
    "sent_to": None,
    "in_development": False,
    "is_delayed": False,
    "expires_in": 300,
    "resend_after": 30,
}
CONNECT: Context = NO_ERROR | {
    "enrollment": SimpleNamespace(
        id="e1",
        qr=Markup("<svg></svg>"),
        uri="otpauth://totp/Acme:ada%40example.com?secret=AAAABBBB&issuer=Acme",
        secret="AAAA BBBB",
    ),
    "action": f"{PAGE_URL}/totp",
    "typed_name": "Old phone",
    "most_name": 60,
    "back": PAGE_URL,
    "is_step": False,
}
NUMBER_FORM: Context = NO_ERROR | {
    "enrollment": None,
    "action": f"{PAGE_URL}/sms",
    "back": PAGE_URL,
    "in_development": False,
    "is_delayed": False,
    "countries": [SimpleNamespace(code="DE", name="Germany", calling_code="49")],
    "typed_country": "DE",
    "typed_phone": "",
    "expires_in": 300,
    "resend_after": 30,
}
SENT: Context = NUMBER_FORM | {"enrollment": SimpleNamespace(enrollment_id="e1", phone="+49 171 1")}
CODES: Context = NO_ERROR | {
    "made": 10,
    "left": 8,
    "is_low": False,
    "action": f"{PAGE_URL}/recovery-codes",
    "onward": "/app",
    "is_after_login": False,
    "form_id": "x",
}
ACCOUNT: Context = NO_ERROR | {
    "account_pages": [
        SimpleNamespace(title="Sessions", path="/sessions"),
        SimpleNamespace(title="Second factors", path="/account/second-factors"),
    ],
    "current_path": "/account/second-factors",
    "page_url": PAGE_URL,
    "user_email": "ada@example.com",
    "has_any": True,
    "required_from": "",
    "reset_due_at": "",
    "objection_url": "",
    "factors": [APP, NUMBER],
    "is_asked": True,
    "others": [
        SimpleNamespace(name="passkey", title="Passkey", url="/auth/account/x", is_there=True)
    ],
    "is_full": False,
    "add_totp_url": f"{PAGE_URL}/totp",
    "add_sms_url": f"{PAGE_URL}/sms",
    "may_add_sms": True,
    "has_recovery_codes": True,
    "made": 10,
    "left": 8,
    "browsers": [BROWSER],
    "error_id": "",
    "typed": "",
    "most_name": 60,
}
NOTHING: Context = ACCOUNT | {
    "has_any": False,
    "factors": [],
    "others": [
        SimpleNamespace(name="passkey", title="Passkey", url="/auth/account/x", is_there=False)
    ],
    "may_add_sms": False,
    "made": 0,
    "left": 0,
    "browsers": [],
}
REMOVE: Context = NO_ERROR | {
    "factor": APP,
    "is_last": True,
    "may_remove": True,
    "page_url": PAGE_URL,
}

FACTOR_PAGES: Final[list[tuple[str, str, Context]]] = [
    (f"factors-{name}", f"second_factors/{template}.html", context)
    for name, template, context in [
        ("step", "step", STEP),
        ("step-error", "step", STEP | {"error": "No.", "trusted_days": 0}),
        ("step-stuck", "step", STEP | {"problem": "No.", "wait": 900, "is_stuck": True}),
        ("step-alone", "step", STEP | {"others": []}),
        ("step-recovery", "step", STEP | {"part_of": "second_factors/recovery_code.html"}),
        (
            "step-recovery-error",
            "step",
            STEP | {"part_of": "second_factors/recovery_code.html", "error": "No."},
        ),
        ("step-sms", "step", STEP | {"part_of": "second_factors/sms.html"}),
        (
            "step-sms-two",
            "step",
            STEP | {"part_of": "second_factors/sms.html", "phones": [PHONE] * 2},
        ),
        (
            "step-sms-sent",
            "step",
            STEP
            | {
                "part_of": "second_factors/sms.html",
                "sent_to": PHONE,
                "is_delayed": True,
                "in_development": True,
                "notice": "Sent.",
            },
        ),
        (
            "step-passkey",
            "step",
            STEP | {"part_of": "passkeys/step_part.html", "is_scripted": True},
        ),
        (
            "step-passkey-alone",
            "step",
            STEP | {"part_of": "passkeys/step_part.html", "is_scripted": True, "others": []},
        ),
        ("enroll", "enroll", {"user_email": "ada@example.com", "ways": [PASSKEY_WAY]}),
        ("begin-totp", "connect_totp", CONNECT | {"enrollment": None}),
        ("connect-totp", "connect_totp", CONNECT | {"typed_name": None}),
        ("connect-totp-error", "connect_totp", CONNECT | {"error": "No.", "is_step": True}),
        ("number", "connect_sms", NUMBER_FORM),
        ("number-error", "connect_sms", NUMBER_FORM | {"error": "No.", "typed_phone": "030"}),
        ("number-sent", "connect_sms", SENT | {"is_delayed": True, "in_development": True}),
        ("number-wrong-code", "connect_sms", SENT | {"error": "No.", "resend_after": 0}),
        ("recovery-codes", "recovery_codes", CODES),
        ("recovery-codes-first", "recovery_codes", CODES | {"made": 0, "left": 0}),
        (
            "recovery-codes-low",
            "recovery_codes",
            CODES | {"left": 1, "is_low": True, "is_after_login": True},
        ),
        (
            "new-recovery-codes",
            "new_recovery_codes",
            {"codes": ["K7QM-4X2P-9RTW-HD3J"], "made_on": "9 May 2026", "onward": "/app"},
        ),
        (
            "deadline",
            "deadline",
            {"required_from": "9 May 2026", "page_url": PAGE_URL, "onward": "/app"},
        ),
        ("remove", "remove", REMOVE),
        ("remove-number", "remove", REMOVE | {"factor": NUMBER, "is_last": False}),
        ("remove-kept", "remove", REMOVE | {"may_remove": False, "problem": "No."}),
        ("account", "account", ACCOUNT),
        ("account-none", "account", NOTHING | {"required_from": "9 May 2026"}),
        ("account-full", "account", ACCOUNT | {"is_full": True, "others": []}),
        ("account-off", "account", ACCOUNT | {"is_asked": False}),
        ("account-low", "account", ACCOUNT | {"left": 1}),
        (
            "account-reset",
            "account",
            ACCOUNT | {"reset_due_at": "9 May 2026", "objection_url": f"{PAGE_URL}/reset?x=y"},
        ),
        ("account-no-codes", "account", ACCOUNT | {"made": 0, "left": 0, "notice": "Done."}),
        ("account-error", "account", ACCOUNT | {"error": "No.", "error_id": "f1"}),
    ]
]
