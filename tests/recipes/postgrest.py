"""A little of PostgREST, with one table: what the recipe over HTTP asks of it, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

API_KEY = "service-role"

Row = dict[str, Any]
_CONDITION = re.compile(r'(\w+)\.(eq|gt|like)\."?([^"]*)"?')


class PostgREST:
    """Serve the table `users`, whose `email` is unique."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.is_down = False
        self.app = Starlette(
            routes=[Route("/rest/v1/users", self._answer, methods=["GET", "POST", "PATCH"])]
        )

    async def _answer(self, request: Request) -> Response:
        if self.is_down:
            return JSONResponse({"message": "down"}, 503)
        if request.headers.get("apikey") != API_KEY:
            return JSONResponse({"message": "No API key found in request"}, 401)
        query = dict(request.query_params)
        columns = query.pop("select").split(",")
        if request.method == "POST":
            found = self._insert(await request.json(), query)
        else:
            found = self._find(query)
        if request.method == "PATCH":
            row = await request.json()
            if self._taken(row["email"], besides=found):
                return JSONResponse({"code": "23505"}, 409)
            for one in found:
                one.update(row)
        return JSONResponse([{name: one[name] for name in columns} for one in found])

    def _insert(self, row: Row, query: dict[str, str]) -> list[Row]:
        assert query == {"on_conflict": "email"}
        if self._taken(row["email"], besides=[]):
            return []
        self.rows.append({"id": f"uuid-{len(self.rows)}", "name": None, **row})
        return self.rows[-1:]

    def _taken(self, email: str, besides: list[Row]) -> bool:
        return any(one["email"] == email and one not in besides for one in self.rows)

    def _find(self, query: dict[str, str]) -> list[Row]:
        limit, order = query.pop("limit", None), query.pop("order", "")
        conditions = query.pop("and", "").strip("()")
        text = ",".join((*([conditions] if conditions else []), *map(".".join, query.items())))
        found = [one for one in self.rows if all(map(_admits(one), _CONDITION.findall(text)))]
        if order:
            found.sort(key=lambda one: str(one[order.removesuffix(".asc")]))
        return found[: int(limit)] if limit else found


def _admits(row: Row) -> Callable[[tuple[str, str, str]], bool]:
    def admits(condition: tuple[str, str, str]) -> bool:
        column, operator, value = condition
        if operator == "like":
            return fnmatchcase(row[column], value.replace("\\_", "_").replace("\\%", "%"))
        return bool(row[column] == value if operator == "eq" else row[column] > value)

    return admits
