"""Each reason that the product gives has its words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pwless_middleware
from pwless_middleware.features.dashboard.delivery.reasons import explain_reason

DELIVERY = Path(pwless_middleware.__file__).parent / "delivery"
RAISED = {"DeliveryError", "MaybeDelivered", "RecipientRefused", "RecipientDeferred"}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("the server refuses the recipient: 550 5.1.1", "no such mailbox"),
        ("the server refuses the recipient: 452 4.2.2", "for this mailbox now"),
        ("the server refuses the envelope: 553 5.7.1", "send from this sender"),
        ("the server refuses the message: 554 5.7.1", "the message itself"),
        ("the server refuses the message: 451 4.7.1", "puts the message off"),
        ("mail server a.example:587 cannot be used: no answer in time", "too long"),
        ("mail server a.example:587 cannot be used: OSError", "cannot be reached"),
        ("mail server a.example:587 refuses the login: 535 5.7.8", "User name and password"),
        ("no word on whether the message was accepted: no answer in time", "may arrive twice"),
        ("no end after 45 s", "too long"),
        ("Twilio: the account is out of credit (answer 402)", "out of credit"),
        ("Twilio refuses the credentials (answer 401)", "User name and password"),
        ("Twilio does not take it now (answer 429)", "takes nothing now"),
        ("Twilio does not take it (answer 400, error 21211)", "does not want the message"),
        ("the webhook redirects (answer 302): is the address right?", "leads elsewhere"),
        ("ConnectionRefusedError", "cannot be reached"),
        ("first: 554 no; second: the server refuses the envelope: 550", "send from this sender"),
        ("what it tells of is under way", "was not done yet"),
    ],
)
def test_what_it_means_and_what_to_do(reason: str, said: str) -> None:
    found = explain_reason(reason)
    assert found is not None
    assert said in found


@pytest.mark.parametrize("reason", ["", "550 who?", "ValueError", "computer says no"])
def test_what_says_itself_all_that_is_known(reason: str) -> None:
    assert explain_reason(reason) is None


def test_every_reason_of_mail_servers_is_known() -> None:
    """Whoever adds one there adds its words, or says here why it needs none."""
    unknown = []
    for file in ("smtp/connections.py", "smtp/opening.py", "smtp/mailer.py", "texts/gateway.py"):
        for node in ast.walk(ast.parse((DELIVERY / file).read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in RAISED or not isinstance(node.args[0], ast.JoinedStr):
                continue
            text = "".join(
                part.value
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                else "5"
                for part in node.args[0].values
            )
            if explain_reason(text) is None:
                unknown.append((file, text))
    assert unknown == []
