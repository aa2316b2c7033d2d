"""The `users` resource of the JSON API, for servers: the people of the database.

With a table of the host the users are there to be read and changed; here is then what hangs on
their ids: sessions, events, and the deletion of all that is kept about one.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.routing.routes import Route

BASE: Final = "/api/v1/users"


class UsersApi:
    """Answer the `users` resource; without a database it adds nothing."""

    def mount(self, kit: Kit) -> Mounted:
        """Return the routes."""
        if kit.people is None:
            return Mounted()
        from pwless_middleware.features.users_api import operations
        from pwless_middleware.features.users_api.answers import Answers

        answers = Answers(kit, kit.people)
        one = f"{BASE}/{{id}}"
        erase = Route(one, {"DELETE": answers.delete}, "api", {"DELETE": operations.DELETE})
        own = (
            Route(
                BASE,
                {"GET": answers.list, "POST": answers.create},
                "api",
                {"GET": operations.LIST, "POST": operations.CREATE},
            ),
            Route(
                one,
                {"GET": answers.get, "PATCH": answers.change, "DELETE": answers.delete},
                "api",
                {
                    "GET": operations.GET,
                    "PATCH": operations.CHANGE,
                    "DELETE": operations.DELETE,
                },
            ),
        )
        return Mounted(
            routes=(
                *(own if kit.users.keeps_people else (erase,)),
                Route(
                    f"{one}/sessions",
                    {"GET": answers.list_sessions, "DELETE": answers.end_sessions},
                    "api",
                    {"GET": operations.LIST_SESSIONS, "DELETE": operations.END_SESSIONS},
                ),
                Route(
                    f"{one}/sessions/{{session}}",
                    {"DELETE": answers.end_session},
                    "api",
                    {"DELETE": operations.END_SESSION},
                ),
                Route(f"{one}/export", {"GET": answers.export}, "api", {"GET": operations.EXPORT}),
                Route(
                    f"{one}/events",
                    {"GET": answers.list_events},
                    "api",
                    {"GET": operations.LIST_EVENTS},
                ),
            )
        )
