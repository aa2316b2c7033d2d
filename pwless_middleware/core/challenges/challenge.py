"""The challenge: one request to prove an address, and the states that it goes through.

    (send) ──▶ live ──▶ taken                      a right code or link, once
                │  ╲
                │   ╲─▶ expired ──resend──▶ live    new generation: the old secrets are dead
                ╰─resend──▶ live                    same generation: the same code and link again,
                                                    or a new one with `rotate`

A challenge holds no secret: its code and link token are derived from its id, generation and salt
when they are needed (`core.keys.keyring`), under the one key that also seals every handle of it and
binds its record. It does not know how often it was tried; that is a budget beside
it in the store, so that no change of the record can give tries back. What is taken is gone from
the store, so "used", "unknown" and "long expired" are one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Literal, NewType

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass

Kind = Literal["OTP", "LINK", "LINK_OTP"]
Template = Literal["SIGNIN", "SIGNUP"]
ChallengeId = NewType("ChallengeId", bytes)
"""32 bytes: 16 of the mailbox's digest (its place in the store), 8 of the exact address's digest
(for its device cookie), then 8 random ones."""

ID_BYTES = 32
RANDOM_BYTES = 8
SALT_BYTES = 16
RESEND_WINDOW = 900
"""Seconds from the first send in which a resend is possible (security numbers)."""
MAX_RESENDS = 3
"""Resends of one challenge (security numbers); so its generation fits the one byte that it has."""


def attempt_of(id: ChallengeId) -> bytes:
    """Return what names a challenge's login in events: the random part, which tells no address."""
    return id[-RANDOM_BYTES:]


@dataclass(frozen=True, slots=True)
class Challenge:
    """One request to prove an address.

    Attributes:
        id: 32 bytes; see `ChallengeId`.
        key_id: fingerprint of the secret key that derives the code and the link, seals the handles
            and binds the record; not in the record, since no other key verifies it.
        salt: 16 random bytes that stay in the record and enter the code and the link, so that the
            secret key alone derives neither. The same in every generation.
        generation: 0 at first; each rotation adds one and kills what was sent before.
        address: where the mail goes, and who is in when the code is right.
        kind: what the mail carries: a code, a link, or both.
        template: the mail's wording.
        caller: who made it (`browser`, or `server:` and the key's name); nobody else may verify it.
        asked_at: unix seconds of the first send.
        started_at: unix seconds at which this generation began.
        expires_at: unix seconds; code and link are dead from then on.
        lifetime: seconds that a send gives.
        resends: how often it was sent again.
        device: the asking browser in our closed vocabulary, e.g. `Firefox on Linux`.
        next: where a browser goes afterwards: a path of ours, already checked.
        state: the API caller's own text, returned unchanged; `None` if none was given.
        link_uri: the page that the link opens; `None` is our own.
        variables: the API caller's words for the mail's template.
        language: the code of the language that the mail is written in, since the worker that writes
            it sees no request; empty is the deployment's default.
        organization: the id of the organization that is to be entered; `None` for none. It says
            what is wanted, and grants nothing.
        is_break_glass: whether it is asked for instead of the company's login that is required:
            only some addresses are served then.
    """

    id: ChallengeId = field(repr=False)
    key_id: str
    salt: bytes = field(repr=False)
    generation: int
    address: Address = field(repr=False)
    kind: Kind
    template: Template
    caller: str
    asked_at: int
    started_at: int
    expires_at: int
    lifetime: int
    resends: int = 0
    device: str = ""
    next: str = "/"
    state: str | None = field(default=None, repr=False)
    link_uri: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    language: str = ""
    organization: str | None = None
    is_break_glass: bool = False

    def is_live(self, now: int) -> bool:
        """Whether code and link may still be used."""
        return now < self.expires_at

    def may_resend(self, now: int) -> bool:
        """Whether it may be sent again: in its window, and not too often."""
        return now < self.asked_at + RESEND_WINDOW and self.resends < MAX_RESENDS

    @property
    def kept_until(self) -> int:
        """Unix seconds until which the store must keep it: for its life, and for a resend."""
        return max(self.expires_at, self.asked_at + RESEND_WINDOW)

    def with_resend(
        self, *, now: int, rotate: bool, key_id: str, longest: int, language: str
    ) -> Challenge:
        """Return the challenge as it stands after a resend.

        While it is live and `rotate` is off, the same code and link go out again and get their full
        life once more, but never more than `longest` seconds from their first mail (NIST SP
        800-63B-4 §3.1.3.2: an out-of-band secret is good for at most ten minutes). Otherwise a new
        generation begins, under the current key. A clock that is behind counts as standing still.
        """
        now = max(now, self.started_at)
        if self.is_live(now) and not rotate:
            until = min(now + self.lifetime, self.started_at + max(longest, self.lifetime))
            return replace(self, resends=self.resends + 1, expires_at=until, language=language)
        return replace(
            self,
            resends=self.resends + 1,
            generation=self.generation + 1,
            key_id=key_id,
            started_at=now,
            expires_at=now + self.lifetime,
            language=language,
        )
