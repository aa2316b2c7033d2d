"""A trial feature: the members of an organization, which the host's own API reads and writes."""

from __future__ import annotations

from pwless_middleware.kit import (
    Kit,
    Mounted,
    NotFound,
    Request,
    Response,
    Route,
    json_response,
    parse_address,
    read_json,
)

YEAR = 365 * 86400


class Members:
    """Keep who is a member of which organization."""

    def mount(self, kit: Kit) -> Mounted:
        """Return the two routes of members."""
        self._kit = kit
        self._members = kit.records("members")
        base = "/api/v1/orgs/{id}/members"
        return Mounted(
            routes=(
                Route(base, {"GET": self._list, "POST": self._add}, "api"),
                Route(base + "/{member}", {"GET": self._show, "DELETE": self._remove}, "api"),
                Route("/orgs/{id}/members", {"GET": self._list}),
            )
        )

    async def _list(self, request: Request) -> Response:
        await self._kit.accounts.require(request)
        rows = await self._members.list(request.path_params["id"])
        return json_response({"members": sorted(row.key for row in rows)})

    async def _add(self, request: Request) -> Response:
        await self._kit.accounts.require(request)
        address = parse_address(str((await read_json(request)).get("email")))
        if address is None:
            raise NotFound
        org = request.path_params["id"]
        await self._members.put(address, b"", ttl=YEAR, group=org)
        return json_response({"member": address}, status=201)

    async def _show(self, request: Request) -> Response:
        await self._kit.accounts.require(request)
        org, member = request.path_params["id"], request.path_params["member"]
        if await self._members.read(member, group=org) is None:
            raise NotFound
        return json_response({"org": org, "member": member})

    async def _remove(self, request: Request) -> Response:
        await self._kit.accounts.require(request)
        org, member = request.path_params["id"], request.path_params["member"]
        if await self._members.take(member, group=org) is None:
            raise NotFound
        return json_response({})
