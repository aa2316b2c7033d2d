"""A trial feature: a login method of somebody else's, by an invitation that works once."""

from __future__ import annotations

import secrets

from pwless_middleware.kit import (
    Authentication,
    Kit,
    Mounted,
    Outcome,
    Proof,
    QueuedJob,
    Request,
    RequestExpired,
    Response,
    Route,
    parse_address,
    respond_with_page,
)

WEEK = 7 * 86400


class InvitationVerbs:
    """Invite people in the host's own code."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def invite(self, email: str) -> str:
        """Return the path of an invitation, below the prefix; it is good for a week."""
        address = parse_address(email)
        assert address is not None
        token = secrets.token_urlsafe(16)
        await self._kit.records("invitations").put(token, address.encode(), ttl=WEEK)
        return f"/invitation/{token}"


class Invitations:
    """Sign in whoever follows an invitation, make them a user, and welcome them once."""

    def __init__(self) -> None:
        self.welcomed: list[str] = []

    def mount(self, kit: Kit) -> Mounted[InvitationVerbs]:
        """Return the page of an invitation, and the verb that makes one."""
        self._kit = kit
        self._records = kit.records("invitations")
        route = Route("/invitation/{token}", {"GET": self._show, "POST": self._accept})
        return Mounted(
            routes=(route,),
            proves=("invitation",),
            jobs={"welcome": self._welcome},
            verbs=InvitationVerbs(kit),
        )

    async def _show(self, request: Request) -> Response:
        return Response(
            '<form method="post"><button>Accept</button></form>', media_type="text/html"
        )

    async def _accept(self, request: Request) -> Response:
        token = request.path_params["token"]
        found = await self._records.read(token)
        address = parse_address(found.value.decode()) if found is not None else None
        if address is None:
            raise RequestExpired
        proof = Proof(
            subject=address,
            authentication=Authentication("invitation", self._kit.clock(), ("mailbox",)),
            takes=self._records.place(token),
            refusal=RequestExpired(),
            may_create=True,
            then=self._kit.jobs.writes("welcome", address.encode()),
        )
        caller = self._kit.callers.browser(request)
        attempt = self._kit.logins.finish(proof, caller)
        response = await respond_with_page(self._kit, request, caller, attempt)
        await self._kit.wake_delivery()
        return response

    async def _welcome(self, job: QueuedJob) -> Outcome:
        self.welcomed.append(job.body.decode())
        return Outcome.DONE
