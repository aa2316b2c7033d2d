"""Delivery receipts: a gateway reports how a text message ended, at an address of its own.

The address holds what the report is about, sealed under a key that only this feature has: who does
not know it can report nothing, and who does, one message's end, once. Nothing but an event comes of
it, so that a false one moves no login and no budget. It reads no cookie, and answers a GET too:
MessageBird reports by one. That is no page which somebody opens, and a HEAD does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.delivery.texts.base import TextSender, read_status
from pwless_middleware.errors import NotFound
from pwless_middleware.features.second_factors.sms.codes import LIFETIME as CODE_LIFETIME
from pwless_middleware.features.second_factors.sms.codes import TextCode
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_bytes
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/sms/status"
"""Below the prefix; the sealed part follows."""
LIFETIME: Final = 86400
"""Seconds for which a report is taken, from the asking on. Most come within a minute."""
_MOST_BYTES: Final = 16_384
_PURPOSE: Final = "sms_status"
_REPORT: Final = Struct(">8sHI")


class StatusUrls:
    """Make the addresses, and read them.

    Args:
        secrets: seals them.
        url: of our pages, with the mount prefix.
        clock: gives unix seconds.
    """

    def __init__(self, secrets: FeatureSecrets, url: str, clock: Callable[[], int]) -> None:
        self._secrets = secrets
        self._url = url
        self._clock = clock

    def make(self, code: TextCode) -> str:
        """Return where one sending of a code is reported: the same for each of its tries."""
        until = code.expires_at - CODE_LIFETIME + LIFETIME
        payload = _REPORT.pack(code.attempt, code.sends, until)
        return f"{self._url}{PATH}/{self._secrets.seal(_PURPOSE, payload)}"

    def open(self, sealed: str) -> tuple[bytes, bytes] | None:
        """Return the attempt of an address, and what names its sending; `None` if it is not good.

        Args:
            sealed: the last part of the path, as it came.
        """
        opened = self._secrets.open(_PURPOSE, sealed)
        if opened is None or len(opened) != _REPORT.size:
            return None
        attempt, _, until = _REPORT.unpack(opened)
        return (attempt, opened) if self._clock() < until else None


class StatusCallbacks:
    """Take the reports.

    Args:
        kit: everything below.
        sender: whose gateway reports; knows its form.
        urls: reads the addresses.

    Attributes:
        routes: where they come.
    """

    def __init__(self, kit: Kit, sender: TextSender, urls: StatusUrls) -> None:
        self._kit = kit
        self._sender = sender
        self._urls = urls
        self._reported = kit.records("sms_status")
        self.routes = (
            Route(
                f"{PATH}/{{sealed}}",
                {"GET": self.take, "POST": self.take},
                "api",
                cross_site="cookieless",
            ),
        )

    async def take(self, request: Request) -> Response:
        """Record the end of a text message, the first time that one is reported.

        Raises:
            NotFound: the address is none of ours, or too old.
            ContentTooLarge: the report is over 16 KiB.
            Unavailable: the store cannot be asked.
        """
        opened = self._urls.open(request.path_params["sealed"])
        if opened is None:
            raise NotFound
        attempt, sending = opened
        if request.method == "POST":
            body = await read_bytes(request, _MOST_BYTES)
        else:
            body = request.scope["query_string"]
        status = None
        if request.method != "HEAD":
            status = read_status(self._sender, dict(request.headers), body)
        # A gateway that heard no answer reports again, and some report several ends.
        if status is not None and await self._reported.add(b64(sending), ttl=LIFETIME):
            self._kit.events.record(f"sms.{status}", attempt=attempt)
        return Response(status_code=204, headers=EVERYWHERE)
