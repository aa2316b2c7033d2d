"""The dashboard's own sections, each in a module of its own, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Final

from pwless_middleware.features.dashboard.events import KINDS
from pwless_middleware.features.dashboard.log.sentences import describe_kind
from pwless_middleware.features.dashboard.operators.pages import OperatorPages
from pwless_middleware.features.dashboard.python import DashboardVerbs, OperatorVerbs
from pwless_middleware.features.dashboard.section import DashboardOptions, Section
from pwless_middleware.flows.capabilities.lifespans import Lifespan
from pwless_middleware.web.gates.operators import OperatorRules
from pwless_middleware.web.kit import Kit, Mounted

SECTIONS: Final = (
    ("index", "Index"),
    ("log.section", "Log"),
    ("people", "PeopleSection"),
    ("delivery", "DeliverySection"),
    ("api_keys", "ApiKeyPages"),
    ("settings", "SettingsSection"),
    ("overview", "Overview"),
    ("templates.section", "TemplatesSection"),
)  # fmt: skip
"""Module below this package, and class, of each section."""


def mount_sections(kit: Kit, options: DashboardOptions) -> Mounted[DashboardVerbs]:
    """Return what all sections add together, and who is an operator."""
    mounted = [_load(module, name)(kit, options).mount() for module, name in SECTIONS]
    pages = OperatorPages(kit, options)
    rules = OperatorRules(
        pages.roles.role_of, options.strength, pages.mails.list_admins, describe_kind
    )
    verbs = DashboardVerbs(OperatorVerbs(kit, pages.changes, pages.roles))
    return join([*mounted, pages.mount()], rules, verbs)


def join(
    mounted: Sequence[Mounted], operators: OperatorRules, verbs: DashboardVerbs
) -> Mounted[DashboardVerbs]:
    """Return one `Mounted` with what several add."""
    return Mounted(
        routes=tuple(route for one in mounted for route in one.routes),
        dashboard_pages=tuple(page for one in mounted for page in one.dashboard_pages),
        person_parts=tuple(part for one in mounted for part in one.person_parts),
        dashboard_banners=tuple(ask for one in mounted for ask in one.dashboard_banners),
        operators=operators,
        periodic=tuple(periodic for one in mounted for periodic in one.periodic),
        jobs={topic: reader for one in mounted for topic, reader in one.jobs.items()},
        health={name: check for one in mounted for name, check in one.health.items()},
        lifespan=_join_lifespans([one.lifespan for one in mounted if one.lifespan is not None]),
        event_kinds=(*KINDS, *(kind for one in mounted for kind in one.event_kinds)),
        verbs=verbs,
        findings=tuple(check for one in mounted for check in one.findings),
    )


def _join_lifespans(lifespans: Sequence[Lifespan]) -> Lifespan | None:
    """Return one that enters all of them; `None` where there are none."""
    if not lifespans:
        return None

    @asynccontextmanager
    async def enter() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for lifespan in lifespans:
                await stack.enter_async_context(lifespan())
            yield

    return enter


def _load(module: str, name: str) -> type[Section]:
    found: type[Section] = getattr(import_module(f"{__package__}.{module}"), name)
    return found
