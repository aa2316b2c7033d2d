"""A section of the dashboard: a class that mounts what it adds, as a feature does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.operators.operator import Role

if TYPE_CHECKING:
    from pwless_middleware.web.kit import Kit, Mounted


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardOptions:
    """What the sections are given.

    Attributes:
        operators: those of the code, by canonical address.
        strength: what an operator's proof must be worth at least.
        geoip: the path of a file that says in which country a client is; `None` for none.
    """

    operators: Mapping[Address, Role]
    strength: Strength
    geoip: str | None = None


class Section(Protocol):
    """One part of the dashboard: its routes, and its page in the navigation."""

    def __init__(self, kit: Kit, options: DashboardOptions) -> None: ...

    def mount(self) -> Mounted:
        """Return what the section adds."""
        ...
