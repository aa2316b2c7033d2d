"""The options of `Passwordless`, once more for type checkers: the middleware takes the same ones.

Not one is marked as required, so that `add_middleware(PasswordlessMiddleware, ...)` type-checks in
the host's code with `passwordless=` as well; what is missing is told at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.logins.session import SessionPolicy
from pwless_middleware.delivery.base import Mailer
from pwless_middleware.flows.events.events import Subscriber
from pwless_middleware.flows.people.users import UserDirectory
from pwless_middleware.stores.base import Store
from pwless_middleware.web.kit import Feature

if TYPE_CHECKING:
    from pwless_middleware.core.events.event_retention import EventRetention
    from pwless_middleware.database.database import Database


class Options(TypedDict, total=False):
    """Type the options; `Passwordless` says what each means."""

    secret_key: str | Sequence[str]
    base_url: str
    mailer: Mailer
    store: Store | None
    database: Database | str | None
    features: Sequence[Feature] | None
    public: Sequence[str]
    prefix: str
    users: UserDirectory | None
    id_salt: str | None
    sessions: SessionPolicy | None
    brand: Brand | None
    templates: Path | str | None
    languages: Sequence[str] | None
    api_keys: Mapping[str, str] | None
    allowed_origins: Sequence[str]
    trusted_proxies: int | Sequence[str]
    bearer: bool
    cookie_name: str | None
    identity_header: str | None
    set_scope_user: bool
    preflight: bool
    end_streams: bool
    require_socket_origin: bool
    delivery: Literal["queued", "inline"]
    unsafe_http: bool
    on_event: Subscriber | None
    event_retention: EventRetention | None
    clock: Callable[[], float] | None
