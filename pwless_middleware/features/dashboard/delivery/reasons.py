"""Why a message was not taken, in words: what stands beside the reason that the queue keeps.

Reasons are ours, with the numbers of a server's reply (`delivery.smtp.connections`,
`delivery.texts.gateway`); those of a host's own mailer may be anything, and stand by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pwless_middleware.text import Text

_SENTENCES: Final[Sequence[tuple[str, Text]]] = (
    (
        r"refuses the recipient: 5",
        Text(
            "The server has no such mailbox, or lets nobody write to it. Another try helps only if "
            "that was a mistake over there."
        ),
    ),
    (
        r"refuses the recipient: 4",
        Text(
            "The server does not want mail for this mailbox now: it is full, or strangers have to "
            "come again a little later."
        ),
    ),
    (
        r"refuses the message: 5",
        Text(
            "The server does not want the message itself. Look at the sender’s domain, and "
            "at what your provider says about your account."
        ),
    ),
    (
        r"refuses the message: 4",
        Text("The server puts the message off: it may be busy, or limits how much you send."),
    ),
    (
        r"refuses the envelope",
        Text(
            "The server does not let you send from this sender. Check that your provider knows the "
            "address, and that the account is paid and open."
        ),
    ),
    (
        r"refuses the (login|credentials)",
        Text("User name and password are not accepted. Check them, and whether they were changed."),
    ),
    (r"out of credit", Text("The account with the gateway is out of credit. Top it up.")),
    (
        r"offers no STARTTLS",
        Text("The server does not encrypt, and a password is never sent in clear."),
    ),
    (
        r"certificate is not accepted",
        Text("The server’s certificate is not valid for its name, or not from a known authority."),
    ),
    (
        r"no word on whether|no answer that can be read|had no answer itself"
        r"|is none that it documents",
        Text(
            "It was handed over, and nobody knows whether it was accepted. So it may arrive twice."
        ),
    ),
    (
        r"no end after|no answer in time|cut off while",
        Text("The server took too long to answer."),
    ),
    (
        r"cannot be used|connection broke|cannot be reached|Connection\w*Error|TimeoutError"
        r"|gaierror",
        Text(
            "The server cannot be reached. Check its name and port, and whether a firewall lets "
            "you out."
        ),
    ),
    (
        r"the store could not be asked",
        Text("The store was out of reach, so that it could not be read what to send."),
    ),
    (
        r"message cannot be written",
        Text(
            "The message cannot be written as an email: a template or a name holds what no "
            "header may."
        ),
    ),
    (r"redirects \(", Text("The address of the gateway is wrong: it leads elsewhere.")),
    (
        r"does not take it now|answer (408|425|429|5\d\d)",
        Text("The gateway takes nothing now: it is busy, or limits how much you send."),
    ),
    (r"does not take it", Text("The gateway does not want the message.")),
    (
        r"is under way$",
        Text("What it tells of was not done yet. It goes out when that is done, or not at all."),
    ),
)
"""In this order: the first that fits is told. Of two servers the last is what counts."""


def explain_reason(reason: str) -> Text | None:
    """Return what a reason means and what to do; `None` where it says itself all that is known."""
    last = re.split(r"; (?:second: |then )", reason)[-1]
    for pattern, text in _SENTENCES:
        if re.search(pattern, last):
            return text
    return None
