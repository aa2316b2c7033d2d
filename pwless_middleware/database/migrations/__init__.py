"""The tables, in the order in which they came: numbered steps, each of which runs exactly once.

A new step goes to the end of `MIGRATIONS`, and is never changed once it was released. All tables
carry the prefix `pwless_`, so that they can stand in a database that is somebody else's.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.migrations.address_changes import ADDRESS_CHANGES, ADDRESS_REQUESTS
from pwless_middleware.database.migrations.api_keys import API_KEYS
from pwless_middleware.database.migrations.attempts import ATTEMPTS, EVENTS_BY_SESSION
from pwless_middleware.database.migrations.event_counters import EVENT_COUNTERS
from pwless_middleware.database.migrations.events import EVENTS
from pwless_middleware.database.migrations.jobs import JOBS
from pwless_middleware.database.migrations.mail_templates import MAIL_TEMPLATES
from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.migrations.operators import OPERATORS
from pwless_middleware.database.migrations.organizations import ORGANIZATIONS
from pwless_middleware.database.migrations.passkeys import PASSKEYS
from pwless_middleware.database.migrations.people import PEOPLE, PEOPLE_LISTS
from pwless_middleware.database.migrations.second_factors import SECOND_FACTORS
from pwless_middleware.database.migrations.settings import SETTINGS
from pwless_middleware.database.migrations.store import STORE
from pwless_middleware.database.migrations.test_addresses import TEST_ADDRESSES
from pwless_middleware.database.migrations.webhooks import WEBHOOKS

MIGRATIONS: Final[tuple[Migration, ...]] = (
    PEOPLE,
    EVENTS,
    STORE,
    SETTINGS,
    API_KEYS,
    ADDRESS_CHANGES,
    PASSKEYS,
    SECOND_FACTORS,
    OPERATORS,
    EVENT_COUNTERS,
    PEOPLE_LISTS,
    JOBS,
    ATTEMPTS,
    WEBHOOKS,
    MAIL_TEMPLATES,
    EVENTS_BY_SESSION,
    TEST_ADDRESSES,
    ADDRESS_REQUESTS,
    ORGANIZATIONS,
)
"""All steps; the number of one is its place, from 1."""
