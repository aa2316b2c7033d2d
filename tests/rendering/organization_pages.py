"""The pages of organizations, with what they are given: for the tests of all pages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

Context = dict[str, Any]

MEMBER: Final = SimpleNamespace(
    id="org_a", name="Acme", role="admin", current=True, is_offer=False, is_invitation=False
)
OTHER: Final = SimpleNamespace(**vars(MEMBER) | {"id": "org_b", "current": False, "role": ""})
INVITED: Final = SimpleNamespace(**vars(OTHER) | {"is_offer": True, "is_invitation": True})
OPEN: Final = SimpleNamespace(**vars(INVITED) | {"is_invitation": False})
ACCOUNT: Context = {
    "account_pages": [
        SimpleNamespace(title="Sessions", path="/sessions"),
        SimpleNamespace(title="Organizations", path="/account/organizations"),
    ],
    "current_path": "/account/organizations",
    "user_email": "ada@example.com",
    "members": [MEMBER, OTHER],
    "offers": [INVITED, OPEN],
    "notice": None,
    "problem": None,
}
CHOICE: Context = {
    "user_email": "ada@example.com",
    "members": [MEMBER, OTHER],
    "offers": [INVITED, OPEN],
    "onward": "/app",
}
LEAVE: Context = {"organization": "org_a", "organization_name": "Acme", "rejoins": False}
INVITATION: Context = {
    "state": "open",
    "link_token": "tok.1",
    "organization": "org_a",
    "organization_name": "Acme",
    "email": "ada@example.com",
    "user_email": "bo@example.com",
    "by_email": True,
}

ORGANIZATION_PAGES: Final[list[tuple[str, str, Context]]] = [
    (f"organizations-{name}", f"organizations/{template}.html", context)
    for name, template, context in [
        ("account", "account", ACCOUNT),
        ("account-none", "account", ACCOUNT | {"members": [], "offers": []}),
        ("account-problem", "account", ACCOUNT | {"problem": "No.", "notice": "Done."}),
        ("choose", "choose", CHOICE),
        ("leave", "leave", LEAVE),
        ("leave-open", "leave", LEAVE | {"rejoins": True}),
        ("invitation", "invitation", INVITATION),
        ("invitation-by-other-ways", "invitation", INVITATION | {"by_email": False}),
        *(
            (f"invitation-{state}", "invitation", INVITATION | {"state": state})
            for state in ("other", "mine", "joined", "over")
        ),
    ]
]
"""Name, template and context of each page."""
