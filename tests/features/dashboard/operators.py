"""A site with a dashboard, and operators who have just signed in.

site, ops = await make_dashboard(tmp_path)
page = await ops.get("/auth/dashboard")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pwless_middleware.core.operators.operator import Role
from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.features.email_login import EmailLogin
from tests.own_account import make_kept_site, signed_in
from tests.support import ROOMY, Browser, Site

OPS = "ops@acme.example"
HELP = "help@acme.example"
LOOK = "look@acme.example"
OPERATORS: dict[str, Role] = {OPS: "admin", HELP: "support", LOOK: "view"}
"""One operator of each role, named in code."""


def make_dashboard_site(
    folder: Path, *, dashboard: Dashboard | None = None, features: Any = (), **options: Any
) -> Site:
    """Make a site with a dashboard.

    Args:
        folder: where the database is.
        dashboard: `None` has one operator of each role.
        features: further ones; one of them may be an `EmailLogin`, else there is a roomy one.
        options: of `Passwordless`.
    """
    given = list(features)
    if not any(isinstance(one, EmailLogin) for one in given):
        given.insert(0, EmailLogin(send_limits=ROOMY))
    given.append(dashboard or Dashboard(operators=OPERATORS))
    return make_kept_site(folder, features=given, **options)


async def make_dashboard(folder: Path, **options: Any) -> tuple[Site, Browser]:
    """Make a site, and the browser of an `admin` who has just signed in."""
    site = make_dashboard_site(folder, **options)
    return site, await signed_in(site, OPS)
