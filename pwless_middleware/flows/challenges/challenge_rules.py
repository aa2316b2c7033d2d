"""How the challenges of a deployment behave, and whom they serve."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from pwless_middleware.core.addresses.address import Address, matches
from pwless_middleware.core.challenges.challenge import Kind
from pwless_middleware.core.challenges.codes import CodeStyle
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import Unavailable
from pwless_middleware.flows.challenges.limits import Limits
from pwless_middleware.tracebacks import traceback_without_text

logger = logging.getLogger("pwless.challenges")

AllowRule = Callable[[str], bool | Awaitable[bool]]
"""A host's own rule of who is served: given the canonical address, it says whether."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRules:
    """Set how challenges behave; `EmailLogin` has the meaning, range and default of each.

    Read at each use, since an operator may change them: a challenge keeps the kind and lifetime
    that it began with.
    """

    kind: Kind
    lifetime: int
    max_lifetime: int
    code: CodeStyle
    same_browser: bool
    rotate_on_resend: bool
    allow: tuple[str, ...] | AllowRule
    signup: bool
    code_in_subject: bool
    limits: Limits

    async def serves(self, address: Address) -> bool:
        """Whether an address is on the allow list. Only worker and verifier may ask.

        Raises:
            Unavailable: the host's own rule failed.
        """
        allow = self.allow
        if isinstance(allow, tuple):
            return matches(address, allow)
        try:
            answer = allow(address)
            return bool(await answer if isinstance(answer, Awaitable) else answer)
        except Exception as exc:
            logger.error("the rule allow= failed:\n%s", traceback_without_text(exc))
            raise Unavailable from exc


CurrentRules = Callable[[], ChallengeRules]
"""Returns the rules that hold now, without I/O; raises `Unavailable` where they are not known."""
