"""What `check` says of text messages: whether each gateway can be reached and lets us in.

It sends none. Reasons of our own errors are shown, since they never hold a secret; of foreign
exceptions only the kind is.
"""

from __future__ import annotations

import asyncio

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.delivery.texts.base import TextSender
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.errors import DeliveryError
from pwless_middleware.passwordless import Passwordless

PATIENCE = 30.0
"""Seconds for one gateway."""


async def check_text_senders(passwordless: Passwordless) -> list[Finding]:
    """Reach and authenticate to every gateway that features send text messages through."""
    senders = passwordless.text_senders.flatten()
    findings = [
        await _about_gateway(sender)
        for sender in senders
        if not isinstance(sender, TextOutbox)  # of which the options tell
    ]
    await passwordless.text_senders.aclose()
    return findings


async def _about_gateway(sender: TextSender) -> Finding:
    check = getattr(sender, "check", None)
    name = type(sender).__name__
    if check is None:
        return Finding("skip", "text_messages", f"{name} has no check()")
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except DeliveryError as error:
        return Finding("fail", "text_messages", str(error))
    except TimeoutError:
        return Finding("fail", "text_messages", f"{name} does not answer")
    except Exception as error:
        return Finding("fail", "text_messages", f"{name}.check() raised {type(error).__name__}")
    return Finding("ok", "text_messages", f"{name} answers and signs in")
