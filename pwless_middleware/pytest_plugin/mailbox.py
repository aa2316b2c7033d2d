"""The mailer of the fixture `pwless_mailbox`."""

from __future__ import annotations

from pwless_middleware.delivery.outbox import Outbox


class Mailbox(Outbox):
    """Be an `Outbox` that an app may be started with on https too, since it is under test."""
