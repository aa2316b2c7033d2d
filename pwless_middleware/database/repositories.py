"""All repositories of a database, made once and handed to who needs them."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.database.address_changes import (
    AddressChangeRepository,
    SQLAddressChanges,
)
from pwless_middleware.database.api_keys import ApiKeyRepository, SQLApiKeys
from pwless_middleware.database.database import Database
from pwless_middleware.database.events import EventRepository, SQLEvents
from pwless_middleware.database.passkeys import PasskeyRepository, SQLPasskeys
from pwless_middleware.database.people import PersonRepository, SQLPeople
from pwless_middleware.database.settings import SettingsRepository, SQLSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """What the database keeps, a repository for each kind of record.

    Attributes:
        people: who exists where the host has no user table.
        address_changes: which addresses were changed lately, and can be changed back.
        events: what happened, and how often.
        settings: what operators have set.
        api_keys: those that operators have made.
        passkeys: those that people have made.
    """

    people: PersonRepository
    address_changes: AddressChangeRepository
    events: EventRepository
    settings: SettingsRepository
    api_keys: ApiKeyRepository
    passkeys: PasskeyRepository


def make_repositories(database: Database) -> Repositories:
    """Return the repositories of a database; nothing is opened yet."""
    return Repositories(
        people=SQLPeople(database),
        address_changes=SQLAddressChanges(database),
        events=SQLEvents(database),
        settings=SQLSettings(database),
        api_keys=SQLApiKeys(database),
        passkeys=SQLPasskeys(database),
    )
