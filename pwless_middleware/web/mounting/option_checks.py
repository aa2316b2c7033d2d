"""Check what the options of `Passwordless` are, before anything is made of them.

What an option means is checked by the part that it belongs to; here stands what nobody else would
look at before the first request: a flag that is a text, a store without one of its verbs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.logins.session import SessionPolicy
from pwless_middleware.core.options.options import (
    check_encodable,
    check_flag,
    check_kind,
    check_verbs,
)
from pwless_middleware.errors import ConfigError

STORE_VERBS = (
    *("read", "read_list", "admit", "attempt", "take", "write", "swap"),
    *("open", "ping", "aclose"),
)
FEED_VERBS = ("is_live", "subscribe")
JOB_VERBS = ("claim", "complete", "retry", "bury", "wait")
_FLAGS = (
    *("bearer", "set_scope_user", "preflight", "end_streams", "require_socket_origin"),
    "unsafe_http",
)


def check_options(options: Mapping[str, object]) -> None:
    """Refuse what is not of the kind that it has to be.

    Args:
        options: those of `Passwordless`, by name; `None` where the default is taken.

    Raises:
        ConfigError: one of them is not; it is named, and so is what to set.
    """
    for option, value in options.items():
        if isinstance(value, str):
            check_encodable(option, value)
    prefix = options["prefix"]
    is_path = isinstance(prefix, str) and re.fullmatch(r"(/[A-Za-z0-9_.~-]+)+", prefix)
    if not is_path or "/." in str(prefix):
        raise ConfigError("prefix", "set a path such as '/auth', without a slash at its end")
    _check_mailer(options["mailer"])
    if options["store"] is not None:
        check_store(options["store"])
    if options["database"] is not None:
        from pwless_middleware.database.database import Database

        if not isinstance(options["database"], Database | str):
            raise ConfigError("database", 'set "sqlite:///pwless.db", or a Database(...)')
    if options["users"] is not None:
        verbs, example = ("find", "create", "load"), "an object with find, create and load"
        check_verbs("users", options["users"], verbs, example=example)
    if options["sessions"] is not None:
        check_kind("sessions", options["sessions"], SessionPolicy, example="SessionPolicy(...)")
    if options["event_retention"] is not None:
        from pwless_middleware.core.events.event_retention import EventRetention

        check_kind(
            "event_retention",
            options["event_retention"],
            EventRetention,
            example="EventRetention(days=90)",
        )
    if options["features"] is not None:
        _check_features(options["features"])
    if options["brand"] is not None:
        check_kind("brand", options["brand"], Brand, example="Brand('Your name', ...)")
    is_folder = isinstance(options["templates"], str | Path) and options["templates"] != ""
    if options["templates"] is not None and not is_folder:
        raise ConfigError("templates", "set the path of a folder")
    for flag in _FLAGS:
        check_flag(flag, options[flag])
    if options["delivery"] not in ("queued", "inline"):
        raise ConfigError("delivery", 'set "queued" or "inline"')
    for option, example in (("clock", "time.time"), ("on_event", "print")):
        if options[option] is not None:
            shown = f"a callable, e.g. {example}"
            check_verbs(option, options[option], ("__call__",), example=shown)


def check_store(store: object) -> None:
    """Refuse a store that lacks a verb of the contract (`stores.base`), feed and jobs included.

    Raises:
        ConfigError: it does; the verb is named.
    """
    example = "MemoryStore() or RedisStore(...)"
    check_verbs("store", store, STORE_VERBS, example=example)
    check_verbs("store", getattr(store, "feed", None), FEED_VERBS, example=example, part="feed")
    check_verbs("store", getattr(store, "jobs", None), JOB_VERBS, example=example, part="jobs")


def _check_mailer(mailer: object) -> None:
    check_verbs("mailer", mailer, ("send",), example="SMTPMailer(...), or Outbox() for development")
    for verb in ("aclose", "check"):
        if not callable(getattr(mailer, verb, check_store)):
            raise ConfigError("mailer", f"{type(mailer).__name__}.{verb} is no method")
    parallel = getattr(mailer, "parallel", 1)
    if type(parallel) is not int or parallel < 1:
        raise ConfigError(
            "mailer", f"{type(mailer).__name__}.parallel is {parallel!r}: a number of at least 1"
        )


def _check_features(features: object) -> None:
    check_kind("features", features, Sequence, example="a list, e.g. [EmailLogin(...)]")
    if isinstance(features, Sequence):
        for feature in features:
            if isinstance(feature, type) and callable(getattr(feature, "mount", None)):
                name = feature.__name__
                raise ConfigError("features", f"{name} lacks its brackets: write {name}(...)")
            check_verbs("features", feature, ("mount",), example="features, e.g. [EmailLogin()]")
