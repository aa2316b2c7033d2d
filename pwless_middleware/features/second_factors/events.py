"""The events of second factors."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.events.event import EventKind

_CALLER: Final = ("caller", "client", "device")
_CHANGE: Final = ("user_id", "by", *_CALLER)

KINDS: Final = (
    EventKind("factor.added", "a person confirmed a second factor", ("method", *_CHANGE)),
    EventKind("factor.renamed", "a second factor got another name", _CHANGE),
    EventKind(
        "factor.removed",
        "a second factor was removed; `details` has how many at once, in `count`",
        ("method", "details", *_CHANGE),
        details=("count",),
    ),
    EventKind(
        "factor.reset_asked",
        "an operator asked to remove all second factors of a person, who can object for `wait`",
        ("wait", *_CHANGE),
    ),
    EventKind(
        "factor.reset",
        "an operator removed all second factors of a person; `details` has how many, in `count`",
        ("details", *_CHANGE),
        details=("count",),
    ),
    EventKind("factor.reset_objected", "a person objected to the reset of their factors", _CHANGE),
    EventKind(
        "enrollment.wrong",
        "a wrong code for a second factor that is not confirmed yet",
        ("user_id", "method", "tries_left", *_CALLER),
    ),
    EventKind("recovery_codes.made", "a person made recovery codes; older ones are void", _CHANGE),
    EventKind("recovery_code.used", "a recovery code was used", ("user_id", "by", *_CALLER)),
    EventKind("browser.trusted", "a second factor is not asked for in a browser", _CHANGE),
    EventKind(
        "browser.distrusted",
        "it is asked for again; `details` has in how many browsers at once, in `count`",
        ("details", *_CHANGE),
        details=("count",),
    ),
    EventKind(
        "login.disowned",
        "a person said, by the link of a mail, that a login was not theirs; its session has ended",
        ("user_id", "session", *_CALLER),
    ),
    EventKind(
        "step.skipped",
        "no second factor was asked for: the browser is a trusted one",
        ("attempt", "user_id"),
    ),
)
"""Every kind that the feature records."""
