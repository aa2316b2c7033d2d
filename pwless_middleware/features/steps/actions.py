"""What a caller asks for before there is an answer to a step: a text message, or an enrollment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import (
    ForbiddenOrigin,
    InvalidArgument,
    RateLimited,
    RequestExpired,
    StepUpRequired,
    Unauthenticated,
)
from pwless_middleware.features.steps.callers import holder, pending_of
from pwless_middleware.features.steps.fields import BODY, METHOD, SENT
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import StepAction, StepMethod, StepSubject
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Fields
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.operations import (
    API_KEY,
    ORIGIN,
    PENDING_COOKIE,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route


class StepActions:
    """Send what there is to answer, and begin an enrollment.

    Attributes:
        send, enroll: the paths.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.send = Route(
            "/api/v1/step/send",
            {"POST": self._send},
            "api",
            {
                "POST": Operation(
                    id="sendStep",
                    summary="Send what a step asks for",
                    about=(
                        "A text message with a code. With `login_id` for a pending login, without "
                        "it for a fresh proof of a live session."
                    ),
                    security=(
                        (API_KEY,),
                        (PENDING_COOKIE, ORIGIN),
                        (SESSION_TOKEN,),
                        (SESSION_COOKIE, ORIGIN),
                    ),
                    body=lambda: self._fields(_send_of),
                    answers={200: SENT},
                    errors=_ERRORS,
                )
            },
        )
        self.enroll = Route(
            "/api/v1/step/enroll",
            {"POST": self._enroll},
            "api",
            {
                "POST": Operation(
                    id="enrollStep",
                    summary="Begin to make the proof that a step enrolls",
                    about=(
                        "Where `enrolls` is true: the person has no such proof yet. What is made "
                        "counts once `POST step` has confirmed it."
                    ),
                    security=((API_KEY,), (PENDING_COOKIE, ORIGIN)),
                    body=lambda: self._fields(_enroll_of),
                    answers={200: SENT},
                    errors=_ERRORS,
                )
            },
        )

    async def _send(self, request: Request) -> Response:
        return await self._do(request, _send_of)

    async def _enroll(self, request: Request) -> Response:
        return await self._do(request, _enroll_of)

    async def _do(self, request: Request, action_of: _ActionOf) -> Response:
        body = await read_json(request)
        values = BODY.read_json(body)
        name, login_id = values.text("method"), values.get("login_id")
        found = self._actions(action_of)
        if name not in found:
            names = ", ".join(found)
            raise InvalidArgument.of("method", Text("Send one of %(names)s.", names=names), "enum")
        action = found[name]
        given = action.fields.read_json(body)
        subject = await self._subject(request, name, login_id)
        if (action_of is _enroll_of) != subject.enrolls:
            # Nothing is made for who has it, nor sent to who does not (security rule 48).
            raise RequestExpired
        return json_response(await action.do(request, subject, given))

    async def _subject(self, request: Request, name: str, login_id: str | None) -> StepSubject:
        """Return whose step it is.

        Raises:
            RequestExpired: the pending login is over, or waits for something else.
            Unauthenticated: there is neither a login nor a session.
        """
        if login_id is None:
            account = await self._kit.accounts.require(request)
            return StepSubject.of_session(account, holder(self._kit, request))
        pending, caller = await pending_of(self._kit, request, login_id)
        if name not in pending.steps[0].methods:
            raise RequestExpired
        return StepSubject.of_login(pending, login_id, caller)

    def _actions(self, action_of: _ActionOf) -> dict[str, StepAction]:
        methods = [one.method for one in self._kit.offers.steps]
        found = [(method.name, action_of(method)) for method in methods]
        return {name: action for name, action in found if action is not None}

    def _fields(self, action_of: _ActionOf) -> Fields:
        actions = self._actions(action_of)
        found = {**BODY.fields, "method": replace(METHOD, one_of=tuple(actions))}
        for action in actions.values():
            found |= {
                name: replace(one, required=False) for name, one in action.fields.fields.items()
            }
        return Fields(found)


_ActionOf = Callable[[StepMethod], StepAction | None]


def _send_of(method: StepMethod) -> StepAction | None:
    return method.send


def _enroll_of(method: StepMethod) -> StepAction | None:
    return method.enroll


_ERRORS = (
    Unauthenticated,
    ForbiddenOrigin,
    RequestExpired,
    RateLimited,
    StepUpRequired,
)
