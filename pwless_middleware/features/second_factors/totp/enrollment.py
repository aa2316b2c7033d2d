"""Add an authenticator app: show its secret, and keep it once a code of it has come back."""

from __future__ import annotations

import secrets
from dataclasses import field
from typing import Final

import segno

from pwless_middleware.core.challenges.pasted_text import code_in
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.core.people.given_name import read_name
from pwless_middleware.errors import InvalidArgument, InvalidCode, RequestExpired
from pwless_middleware.features.second_factors.enrollments import (
    ID_BYTES,
    WRONG,
    Enrollment,
    Enrollments,
)
from pwless_middleware.features.second_factors.names import TOTP
from pwless_middleware.features.second_factors.own_factors import OwnFactors
from pwless_middleware.features.second_factors.steps import proven_by
from pwless_middleware.features.second_factors.totp.codes import (
    enrollment_uri,
    find_counter,
    make_secret,
    write_secret,
)
from pwless_middleware.features.second_factors.totp.counters import TOTPCounters
from pwless_middleware.features.second_factors.totp.secrets import TOTPSecrets
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

_GROUP: Final = 4
_MOST_ISSUER: Final = 60
"""Characters of the deployment's name: they stand twice in a link that a QR code has to hold, each
of them as up to twelve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TOTPEnrollment:
    """What a person needs to set up an app; shown until the app is confirmed, and never again.

    Attributes:
        enrollment_id: goes back with the code.
        secret: 32 characters of Base32, for who cannot scan.
        uri: the `otpauth:` link, for an app on this very device.
        expires_at: unix seconds in which it has to be confirmed.
    """

    enrollment_id: str
    secret: str = field(repr=False)
    uri: str = field(repr=False)
    expires_at: int

    @property
    def groups(self) -> str:
        """The secret in groups of four, as people read it."""
        return " ".join(self.secret[at : at + _GROUP] for at in range(0, len(self.secret), _GROUP))

    @property
    def qr_svg(self) -> str:
        """The QR code of the link: an `<svg>` to stand in a page, dark on white in any theme."""
        code = segno.make(self.uri, error="m")
        return code.svg_inline(omitsize=True, light="#fff", border=4)

    def to_json(self) -> dict[str, object]:
        """Return it ready for JSON."""
        return {
            "enrollment_id": self.enrollment_id,
            "secret": self.secret,
            "uri": self.uri,
            "expires_at": str(self.expires_at),
        }


class TOTPEnrollments:
    """Begin enrollments, and confirm them.

    Args:
        kit: everything below.
        own: keeps what is confirmed.
        stored: encrypts secrets.
        counters: which codes were used.
        issuer: what an app calls the deployment; `None` takes the brand's name.
        is_on: whether people can add apps here.
    """

    def __init__(
        self,
        kit: Kit,
        own: OwnFactors,
        stored: TOTPSecrets,
        counters: TOTPCounters,
        *,
        issuer: str | None,
        is_on: bool,
    ) -> None:
        self._kit = kit
        self._own = own
        self._stored = stored
        self._counters = counters
        self._given_issuer = issuer
        self._is_on = is_on
        self._enrollments = Enrollments(kit.records("totp_enrollments"), kit.clock)

    @property
    def _issuer(self) -> str:
        return (self._given_issuer or self._kit.renderer.brand_name)[:_MOST_ISSUER].strip()

    async def begin(self, user_id: str, email: str, holder: str) -> TOTPEnrollment:
        """Make a secret for a new app; what was begun before is void.

        Args:
            user_id: whose.
            email: their address, by which the app tells its accounts apart.
            holder: names the session or pending login that alone may confirm it.

        Raises:
            InvalidArgument: no apps are added here, or the person has as many factors as there may
                be.
            Unavailable: database or store cannot be asked.
        """
        if not self._is_on:
            raise InvalidArgument.of("method", _OFF, "off")
        await self._own.check_room(user_id)
        id, secret = b64(secrets.token_bytes(ID_BYTES)), make_secret()
        content = self._stored.encrypt(id, user_id, secret)
        enrollment = await self._enrollments.begin(id, user_id, holder, content)
        return self._show(enrollment, secret, email)

    async def find(
        self, user_id: str, email: str, enrollment_id: str, holder: str
    ) -> TOTPEnrollment | None:
        """Return an enrollment that still waits, to be shown again beside a wrong code.

        Args:
            user_id, email, holder: as of `begin`.
            enrollment_id: as `begin` gave it.

        Raises:
            Unavailable: the store cannot be asked.
        """
        enrollment = await self._enrollments.find(enrollment_id, user_id, holder)
        if enrollment is None:
            return None
        return self._show(enrollment, self._decrypt(enrollment), email)

    async def confirm(
        self,
        user_id: str,
        enrollment_id: str,
        holder: str,
        code: str,
        caller: Caller,
        *,
        name: str = "",
        only_first: bool = False,
        by: str = "person",
    ) -> tuple[Factor, StepProof]:
        """Keep an app that has shown a right code; return it and what the code proves.

        The code is used up by it, as by a login.

        Args:
            user_id, holder: as of `begin`.
            enrollment_id: as `begin` gave it.
            code: as typed.
            caller: who confirms.
            name: what the person calls it; empty for none.
            only_first: whether the person must have no second factor yet.
            by: who adds it, for the event.

        Raises:
            InvalidArgument: the name is none, or the person has too many factors.
            InvalidCode: the code is wrong.
            RequestExpired: unknown, over, void, another holder's, or not the first.
            TooManyAttempts: the tries are spent.
            Unavailable: database, store or queue cannot take it.
        """
        name = read_name(name)
        enrollment = await self._enrollments.attempt(enrollment_id, user_id, holder)
        secret, now = self._decrypt(enrollment), self._kit.clock()
        bare = code_in(code, "standard")
        counter = find_counter(secret, bare, now=now) if bare is not None else None
        if counter is None or not await self._counters.spend(enrollment.id, counter):
            self._kit.events.record(
                "enrollment.wrong",
                caller,
                user_id=user_id,
                method=TOTP,
                tries_left=enrollment.tries_left,
            )
            raise InvalidCode(enrollment.tries_left, WRONG)
        factor = Factor(
            id=enrollment.id,
            user_id=user_id,
            kind="totp",
            name=name,
            # Anew: since it was begun, a key may have come, and `pwless rewrap` gone by.
            secret=self._stored.encrypt(enrollment.id, user_id, secret),
            created_at=now,
            used_at=now,
        )
        await self._own.add(factor, caller, only_first=only_first, by=by)
        await self._enrollments.end(enrollment)
        proven = proven_by(TOTP, now, holder)
        return factor, StepProof(proven, self._counters.spend_earlier(factor.id, counter))

    def _show(self, enrollment: Enrollment, secret: bytes, email: str) -> TOTPEnrollment:
        return TOTPEnrollment(
            enrollment_id=enrollment.id,
            secret=write_secret(secret),
            uri=enrollment_uri(secret, account=email, issuer=self._issuer),
            expires_at=enrollment.expires_at,
        )

    def _decrypt(self, enrollment: Enrollment) -> bytes:
        decrypted = self._stored.decrypt(enrollment.id, enrollment.user_id, enrollment.content)
        if decrypted is None:  # the key that it was begun under is gone
            raise RequestExpired
        return decrypted.secret


_OFF = Text("Authenticator apps cannot be added here.")
