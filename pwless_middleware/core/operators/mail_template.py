"""Templates of mails and text messages, as operators have made them."""

from __future__ import annotations

from dataclasses import field

from pwless_middleware.core.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    """One version of a template, without its texts.

    Attributes:
        name: of the mail or text message, `signin`.
        language: the code of its language.
        version: 1 for the first; each change adds one.
        at: unix seconds of the change that made it.
        by: who made that change.
        is_ours: whether the change took back what operators had made: ours is sent.
    """

    name: str
    language: str
    version: int
    at: int
    by: str
    is_ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplate:
    """One version of a template.

    Attributes:
        version: which, and who made it.
        subject, text, html: as they were typed; empty where `version.is_ours`. A text message has
            the text alone.
    """

    version: TemplateVersion
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
