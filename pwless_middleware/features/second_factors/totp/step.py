"""The step by an authenticator app: in a login, and as a fresh proof of a live session."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request

from pwless_middleware.core.challenges.pasted_text import code_in
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.errors import FieldViolation, InvalidArgument, InvalidCode, RequestExpired
from pwless_middleware.features.second_factors.api.step_fields import ENROLLING_STEP
from pwless_middleware.features.second_factors.names import TOTP
from pwless_middleware.features.second_factors.own_factors import OwnFactors
from pwless_middleware.features.second_factors.steps import proven_by
from pwless_middleware.features.second_factors.totp.codes import DIGITS, find_counter
from pwless_middleware.features.second_factors.totp.counters import TOTPCounters
from pwless_middleware.features.second_factors.totp.enrollment import (
    TOTPEnrollment,
    TOTPEnrollments,
)
from pwless_middleware.features.second_factors.totp.secrets import TOTPSecrets
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import StepAction, StepMethod, StepSubject
from pwless_middleware.web.requests.fields import Fields, Values

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository

logger = logging.getLogger("pwless.second_factors")


class TOTPStep:
    """Do the step.

    Args:
        kit: everything below.
        factors: keeps the apps.
        own: knows what a person has.
        stored: decrypts secrets.
        counters: which codes were used.
        enrollments: add an app in a step that enrolls.

    Attributes:
        method: how it is offered.
    """

    def __init__(
        self,
        kit: Kit,
        factors: FactorRepository,
        own: OwnFactors,
        stored: TOTPSecrets,
        counters: TOTPCounters,
        enrollments: TOTPEnrollments,
    ) -> None:
        self._kit = kit
        self._factors = factors
        self._own = own
        self._stored = stored
        self._counters = counters
        self._enrollments = enrollments
        self.method = StepMethod(
            name=TOTP,
            fields=ENROLLING_STEP,
            ask=self.ask,
            check=self.check,
            strength="second_factor",
            enroll=StepAction(Fields({}), self._enroll),
            is_enrolled=self.is_enrolled,
        )

    async def is_enrolled(self, user_id: str) -> bool:
        """Whether a person has an app."""
        return bool(await self._apps(user_id))

    async def ask(
        self, request: Request | None, subject: StepSubject
    ) -> Mapping[str, object] | None:
        """Return how many digits a code has; `None` for who has no app, or may add none."""
        has_app = await self.is_enrolled(subject.user_id)
        is_possible = await self._may_enroll(subject) if subject.enrolls else has_app
        return {"digits": DIGITS} if is_possible else None

    async def check(
        self, request: Request | None, subject: StepSubject, values: Values
    ) -> StepProof | None:
        """Return what a code proves; it is used up by it, whatever becomes of the login.

        Raises:
            InvalidArgument: the step enrolls, and the enrollment is not named.
            RequestExpired: the step enrolls, and the enrollment is over or not the first one.
            TooManyAttempts: the enrollment's tries are spent.
            StoreError: database or store cannot be asked.
        """
        if subject.enrolls:
            return await self._confirm(subject, values)
        bare = code_in(values.text("code"), "standard")
        return await self._prove(subject, bare) if bare is not None else None

    async def enroll(self, subject: StepSubject) -> TOTPEnrollment:
        """Begin to add an app, in a step that enrolls.

        Raises:
            RequestExpired: the step does not, or the person has a second factor by now that this
                login has not proven (security rule 48).
            Unavailable: database or store cannot be asked.
        """
        if not subject.enrolls or not await self._may_enroll(subject):
            raise RequestExpired
        return await self._enrollments.begin(subject.user_id, subject.email, subject.binding)

    async def _enroll(
        self, request: Request, subject: StepSubject, values: Values
    ) -> Mapping[str, object]:
        return (await self.enroll(subject)).to_json()

    async def _may_enroll(self, subject: StepSubject) -> bool:
        """Whether nothing is left that has to be proven before: one that does not count is."""
        return subject.strength != "any" or not await self._own.has_any(subject.user_id)

    async def _confirm(self, subject: StepSubject, values: Values) -> StepProof | None:
        id = values.get("enrollment_id")
        if not id:
            required = Text("This field is required.")
            raise InvalidArgument([FieldViolation("enrollment_id", required, "required")])
        try:
            _, proof = await self._enrollments.confirm(
                subject.user_id,
                id,
                subject.binding,
                values.text("code"),
                subject.caller,
                name=values.get("name") or "",
                only_first=subject.strength == "any",
            )
        except InvalidCode:
            return None
        return proof

    async def _prove(self, subject: StepSubject, code: str) -> StepProof | None:
        now, user_id = self._kit.clock(), subject.user_id
        for factor in await self._apps(user_id):
            opened = self._stored.decrypt(factor.id, user_id, factor.secret)
            if opened is None:
                logger.error(
                    "the secret of factor %s cannot be decrypted: put the secret_key that it was "
                    "encrypted under back into the list, and run `pwless rewrap`",
                    factor.id,
                    extra={"event": "factor_unreadable"},
                )
                continue
            counter = find_counter(opened.secret, code, now=now)
            if counter is None or not await self._counters.spend(factor.id, counter):
                continue
            if not opened.is_current:
                await self._stored.encrypt_anew(factor)
            earlier = self._counters.spend_earlier(factor.id, counter)
            # Noted once the step is taken: if the factor is gone by then, it proves nothing.
            noted = partial(self._factors.note_use, factor.id, now)
            return StepProof(proven_by(TOTP, now, subject.binding), earlier, holds=noted)
        return None

    async def _apps(self, user_id: str) -> list[Factor]:
        state = await self._factors.state(user_id)
        return [factor for factor in state.factors if factor.kind == "totp"]
