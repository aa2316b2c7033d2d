"""Second factors, and what hangs on them: trusted browsers, recovery codes, resets.

A factor is there once the person has confirmed it, and not before (security rule 43).
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pwless_middleware.core.dataclass import dataclass

FactorKind = Literal["totp", "sms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """An authenticator app or a phone number that a person has confirmed.

    Attributes:
        id: 128 random bits as 22 characters of base64url; no other factor has it, whoever's.
        user_id: whose it is.
        kind: `totp` (an authenticator app, RFC 6238) or `sms` (a phone number).
        name: what the person calls it; empty for none.
        secret: the seed of an authenticator app, encrypted; empty where `kind` is `sms`.
        phone: the number in E.164, e.g. `+4930123456`; empty where `kind` is `totp`.
        created_at: unix seconds of when it was confirmed.
        used_at: unix seconds of its last use; `None` before the first.
    """

    id: str
    user_id: str
    kind: FactorKind
    name: str = field(default="", repr=False)
    secret: bytes = field(default=b"", repr=False)
    phone: str = field(default="", repr=False)
    created_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorState:
    """What a login has to know of a person's second factors, passkeys aside.

    Attributes:
        factors: the oldest first.
        recovery_codes: how many there are, used or not.
        recovery_codes_left: how many of them are not used.
        generation: a number that grows whenever trusted browsers are to be trusted no more; a
            browser is trusted under the one that was read before (security rule 45). 0 is the
            first.
    """

    factors: tuple[Factor, ...] = ()
    recovery_codes: int = 0
    recovery_codes_left: int = 0
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCode:
    """What is told of a recovery code: never the code, nor what it is found by.

    Attributes:
        created_at: unix seconds.
        used_at: unix seconds; `None` where it is not used.
    """

    created_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedBrowser:
    """A browser in which a person is not asked for a second factor (security rule 45).

    Attributes:
        id: 16 random bytes, which stand in its cookie.
        user_id: who is not asked in it.
        address: a digest of the person's address as of then, 16 bytes; with another address they
            are asked again.
        device: which browser, in words.
        created_at: unix seconds.
        expires_at: unix seconds from which on they are asked again.
        used_at: unix seconds of the last login in which they were not asked; `None` before it.
    """

    id: bytes = field(repr=False)
    user_id: str
    address: bytes = field(repr=False)
    device: str
    created_at: int
    expires_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorReset:
    """An operator's order to remove all second factors of a person, who can object until then.

    Attributes:
        id: 16 random bytes, which stand in the link of the mail.
        user_id: whose factors.
        by: who has asked for it.
        asked_at: unix seconds.
        due_at: unix seconds from which on it may be done.
        objected_at: unix seconds of the objection; `None` where there is none.
        done_at: unix seconds; `None` where it is not done.
    """

    id: bytes = field(repr=False)
    user_id: str
    by: str
    asked_at: int
    due_at: int
    objected_at: int | None = None
    done_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.objected_at is None and self.done_at is None
