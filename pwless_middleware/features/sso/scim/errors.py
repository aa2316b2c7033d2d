"""What a directory is told where a request fails (RFC 7644 section 3.12)."""

from __future__ import annotations

from typing import Final, Literal

from pwless_middleware.errors import PwlessError

ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"

ScimType = Literal[
    "",
    "invalidFilter",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
]


class ScimRefused(PwlessError):
    """A request of a directory is refused.

    Args:
        status: of HTTP.
        scim_type: which of the faults of the RFC; empty for none of them.
        detail: for the administrators who read the log of their directory, in English.

    Attributes:
        status, scim_type, detail: as given.
    """

    def __init__(self, status: int, scim_type: ScimType, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.scim_type = scim_type
        self.detail = detail

    def to_json(self) -> dict[str, object]:
        """Return the body of the answer."""
        found = {"schemas": [ERROR], "status": str(self.status), "detail": self.detail}
        return {**found, "scimType": self.scim_type} if self.scim_type else dict(found)
