"""The step by a recovery code: for who has lost all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request

from pwless_middleware.features.second_factors.api.step_fields import STEP
from pwless_middleware.features.second_factors.mails import FactorMails
from pwless_middleware.features.second_factors.names import RECOVERY_CODE
from pwless_middleware.features.second_factors.recovery.codes import digest_of, read_code
from pwless_middleware.features.second_factors.steps import proven_by
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import StepMethod, StepSubject
from pwless_middleware.web.requests.fields import Values

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository
    from pwless_middleware.database.factors.recovery_codes import RecoveryCodeRepository


class RecoveryStep:
    """Do the step. Its tries are counted apart from all others (security rule 42).

    Args:
        kit: everything below.
        factors: knows how many codes are left.
        codes: keeps them.
        mails: tell the person of a use.

    Attributes:
        method: how it is offered.
    """

    def __init__(
        self,
        kit: Kit,
        factors: FactorRepository,
        codes: RecoveryCodeRepository,
        mails: FactorMails,
    ) -> None:
        self._kit = kit
        self._mails = mails
        self._factors = factors
        self._codes = codes
        self.method = StepMethod(
            name=RECOVERY_CODE,
            fields=STEP,
            ask=self.ask,
            check=self.check,
            strength="second_factor",
        )

    async def ask(
        self, request: Request | None, subject: StepSubject
    ) -> Mapping[str, object] | None:
        """Return how many codes are left; `None` for none."""
        if subject.enrolls:
            return None
        left = (await self._factors.state(subject.user_id)).recovery_codes_left
        return {"codes_left": left} if left else None

    async def check(
        self, request: Request | None, subject: StepSubject, values: Values
    ) -> StepProof | None:
        """Return what a code proves. It is used up first, whatever becomes of the login.

        Raises:
            StoreError: the database cannot be asked.
        """
        code = read_code(values.text("code"))
        if code is None or subject.enrolls:
            return None
        now, user_id = self._kit.clock(), subject.user_id
        audit = self._kit.events.make(
            "recovery_code.used", subject.caller, user_id=user_id, by="person"
        )
        left = await self._codes.use(user_id, digest_of(code), at=now, audit=audit)
        if left is None:
            return None
        self._kit.events.publish(audit)
        then = self._mails.writes_of_use(user_id, left, subject.caller)
        return StepProof(proven_by(RECOVERY_CODE, now, subject.binding), then=then)
