"""The step by passkey for the JSON API: of a pending login, and for a fresh proof of a session."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from pwless_middleware.features.passkeys.ceremonies.answers import METHOD
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner
from pwless_middleware.features.passkeys.fields import CEREMONY_ID, CREDENTIAL
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import StepMethod, StepSubject
from pwless_middleware.web.requests.fields import Fields, Values


class PasskeySteps:
    """Offer the step.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.method = StepMethod(
            name=METHOD,
            fields=Fields({"ceremony_id": CEREMONY_ID, "credential": CREDENTIAL}),
            ask=self.ask,
            check=self.check,
            strength="phishing_resistant",
            is_enrolled=self.is_enrolled,
            is_required=lambda: flow.rules().required,
        )

    async def is_enrolled(self, user_id: str) -> bool:
        """Whether a person has a passkey that is good here."""
        return bool(await self._flow.own.usable(user_id))

    async def ask(self, request: Request, subject: StepSubject) -> Mapping[str, object] | None:
        """Return what the browser is asked; `None` for who cannot do it this way."""
        prompt = await self._flow.step_options(
            await self._owner(subject),
            subject.caller,
            subject.binding,
            enrolls=subject.enrolls,
            strength=subject.strength,
        )
        return prompt.to_json(self._kit.clock()) if prompt is not None else None

    async def check(
        self, request: Request, subject: StepSubject, values: Values
    ) -> StepProof | None:
        """Check the browser's answer. What is wrong is an error of its own, never `None`."""
        return await self._flow.check_step(
            await self._owner(subject),
            values.text("ceremony_id"),
            values.json("credential") or {},
            subject.caller,
            subject.binding,
            enrolls=subject.enrolls,
            strength=subject.strength,
            is_only_factor=subject.binding.startswith("session:"),
        )

    async def _owner(self, subject: StepSubject) -> Owner:
        """Return whose step it is. Only a new passkey tells the browser what they are called."""
        user = await self._kit.users.load(subject.user_id) if subject.enrolls else None
        name = user.display_name if user is not None else subject.email
        return Owner(subject.user_id, subject.email, name)
