"""A site whose backend keeps its organizations."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.features.organizations import Organizations
from tests.features.organizations_api.backend import Backend
from tests.organizations import make_organization_site
from tests.support import ROOMY, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with organizations."""
    features = [EmailLogin(send_limits=ROOMY), Organizations()]
    return make_organization_site(tmp_path, features=features)


@pytest.fixture
def backend(site: Site) -> Backend:
    """Its own backend."""
    return Backend(site)
