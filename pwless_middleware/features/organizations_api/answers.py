"""How the resource answers: pages of rows, one row, and nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.web.responses.responses import EVERYWHERE, json_response

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

Public = Mapping[str, object]
T = TypeVar("T")


def answer_page(
    name: str,
    found: Sequence[T],
    limit: int,
    public: Callable[[T], Public],
    place: Callable[[T], str],
) -> Response:
    """Return a page of rows, of which one more than fit were asked for.

    Args:
        name: of the list.
        found: the rows.
        limit: how many the page has.
        public: returns a row, ready for JSON.
        place: returns what the next page begins behind.
    """
    page = found[:limit]
    answer: dict[str, object] = {name: [public(one) for one in page]}
    if len(found) > limit:
        answer["next"] = place(page[-1])
    return json_response(answer)


def no_content() -> Response:
    """Return the answer to what leaves nothing to be said."""
    return Response(status_code=204, headers=EVERYWHERE)


def times(**given: int | None) -> Public:
    """Return times as unix seconds in text; those that there are not are left out."""
    return {name: str(at) for name, at in given.items() if at is not None}


async def organization_id(floor: OrganizationFloor, request: Request) -> str:
    """Return the id of the organization of the path, by whichever of its keys.

    Raises:
        NotFound: there is none.
        StoreError: it cannot be known.
    """
    return (await floor.organizations.require(request.path_params["id"])).id
