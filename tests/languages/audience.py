"""Who reads a message: everybody who signs in, or administrators alone.

Every language that is offered has what people read (login, account, mails, texts, errors, the
set-up of a company's login); the dashboard is in fewer of them (`DASHBOARD`).
"""

from __future__ import annotations

import re
from typing import Final

from babel.messages.catalog import Message

_FOR_ADMINISTRATORS: Final = re.compile(
    r"""
      (^|/)dashboard/                                   # its pages, and the features' parts of it
    | ^templates/.*/(reset_)?person\.html | /person_part\.py
    | (?<!oidc/)(?<!saml/)settings\.py                  # what is set there, not in a set-up
    | /options\.py | findings\.py
    | ^rendering/mail_templates/(?!messages)           # how they are edited, not the text messages
    | ^features/webhooks/ | ^features/email_login/test_addresses/
    | ^features/organizations_api/ | ^flows/people/people\.
    | ^flows/organizations/(break_glass|explain|identities|method_names)
    | ^flows/organizations/(organizations\.|policy_|verbs)
    | ^core/(brand|events/|operators/api_key|organizations/(explanation|policy_json))
    | ^web/responses/(choices|makers|policy_words) | ^web/findings/ | /event_history
    | ^delivery/ | ^database/
    """,
    re.VERBOSE,
)


def is_for_people(message: Message) -> bool:
    """Whether others than administrators may read a message: one of its places is theirs."""
    return any(not _FOR_ADMINISTRATORS.search(name) for name, _ in message.locations)
