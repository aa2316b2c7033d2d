"""The feature itself: its options, checked, and what it mounts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.logins.authentication import STRENGTHS, Strength
from pwless_middleware.core.operators.operator import ROLES, Role
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_texts
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.dashboard.section import DashboardOptions

if TYPE_CHECKING:
    from pwless_middleware.features.dashboard.python import DashboardVerbs
    from pwless_middleware.web.kit import Kit, Mounted


@named_options()
class Dashboard:
    """Show operators what happens, and let them change settings while the app runs.

    Needs a database. Its pages are below `{prefix}/dashboard`; for everybody else they don't exist.

    Args:
        operators: the addresses of people who may use it, all as `admin`; or a mapping of address
            to role: `view` looks, `support` also acts on people, `admin` also changes everything
            else. These are fixed; add more on the page, or with `pwless operator add ADDRESS`.
            Empty (default) leaves it to that command.
        strength: what an operator must have proven: `any` (default), `second_factor` or
            `phishing_resistant`. Operators who have a second factor must always use it.
        geoip: the path of your country database in MaxMind's format, e.g. `GeoLite2-Country.mmdb`:
            events then have the client's `country`. Needs the extra `[geoip]`; `None` (default) for
            none.

    Raises:
        ConfigError: an option outside its range, named.
    """

    def __init__(
        self,
        *,
        operators: Sequence[str] | Mapping[str, Role] = (),
        strength: Strength = "any",
        geoip: str | os.PathLike[str] | None = None,
    ) -> None:
        if strength not in STRENGTHS:
            raise ConfigError("strength", f"set {' or '.join(STRENGTHS)}")
        if geoip is not None and not isinstance(geoip, str | os.PathLike):
            raise ConfigError("geoip", "set the path of a file, e.g. 'GeoLite2-Country.mmdb'")
        self._options = DashboardOptions(
            operators=_read_operators(operators),
            strength=strength,
            geoip=None if geoip is None else os.fspath(geoip),
        )

    def mount(self, kit: Kit) -> Mounted[DashboardVerbs]:
        """Return the routes and pages of all sections, and who is an operator.

        Raises:
            ConfigError: there is no database.
        """
        from pwless_middleware.features.dashboard.sections import mount_sections

        kit.require_database()
        if kit.repositories is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the events: mount Dashboard(...) itself, not a "
                "subclass, and not from within another feature",
            )
        return mount_sections(kit, self._options)


def _read_operators(operators: Sequence[str] | Mapping[str, Role]) -> Mapping[Address, Role]:
    """Return the operators of the code by canonical address.

    Raises:
        ConfigError: one is no address, stands there twice, or has a role that there is not.
    """
    given: Mapping[str, Role]
    if isinstance(operators, Mapping):
        given = operators
    else:
        check_texts("operators", operators, example="['ops@acme.example']")
        given = dict.fromkeys(operators, "admin")
    found: dict[Address, Role] = {}
    for text, role in given.items():
        address = parse_address(text) if isinstance(text, str) else None
        if address is None:
            raise ConfigError("operators", f"{text!r} is not an email address")
        if address in found:
            raise ConfigError("operators", f"{address} stands there twice: take one out")
        if role not in ROLES:
            raise ConfigError("operators", f"the role of {address} is {' or '.join(ROLES)}")
        found[address] = role
    return found
