"""What is raised where a company's login does not work, or its connection is not set up right.

    raise SSOFault("id_token_audience", expected=client_id, received=claims["aud"])

The closed list of codes and their sentences is `core.organizations.sso_faults`, where the log and
the pages of operators read it too. To add a fault, add its line there, in the list of its protocol
(and the German); it is then a reason of the event `sso.failed` and has its sentence in set-up, in
the test of a connection and in the log, with nothing more to do.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.organizations.sso_faults import FAULTS
from pwless_middleware.errors import PwlessError, RequestFailed
from pwless_middleware.text import Text

VALUE_LENGTH: Final = 300
"""Characters of a value that are kept, at most: what a provider sends may be of any length."""


class SSOFault(PwlessError):
    """A login at an identity provider failed, or what is known of the provider is wrong.

    Args:
        code: which fault, of `core.organizations.sso_faults.FAULTS`.
        expected: what should have come; empty for nothing to show.
        received: what came, as text; empty for nothing to show. Neither is ever a secret, a token
            or a code: administrators read them.

    Attributes:
        code, expected, received: as given, the values cut to a bounded length.
        text: the sentence for administrators.
    """

    def __init__(self, code: str, *, expected: object = "", received: object = "") -> None:
        self.code = code
        self.expected = _shorten(str(expected))
        self.received = _shorten(str(received))
        self.text: Text = FAULTS[code]
        super().__init__(self.text)

    @classmethod
    def of_request(cls, error: RequestFailed, url: str) -> SSOFault:
        """Return the fault of a request that has no answer.

        Args:
            error: why it has none.
            url: where an answer was expected; shown without its query.
        """
        return cls(f"request_{error.fault}", expected=url.partition("?")[0])


def _shorten(value: str) -> str:
    return value if len(value) <= VALUE_LENGTH else value[: VALUE_LENGTH - 1] + "…"
