"""Mails that tell somebody what has happened to their account; none of them holds a code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.brand import Brand
from pwless_middleware.core.logins.device import UNKNOWN, device_text
from pwless_middleware.delivery.base import Mailer, Message
from pwless_middleware.delivery.queue.outcomes import Delivery
from pwless_middleware.languages.current import translate, use_language
from pwless_middleware.languages.languages import Languages
from pwless_middleware.languages.times import format_duration, format_time
from pwless_middleware.rendering.current_brand import use_current_brand
from pwless_middleware.rendering.renderer import Renderer


class Notices:
    """Make the mails, as they are sent.

    Args:
        renderer: makes the texts.
        languages: those that people read.
        mailer: takes the message.
        host: the login's own host.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        renderer: Renderer,
        languages: Languages,
        mailer: Mailer,
        *,
        host: str,
        clock: Callable[[], int],
    ) -> None:
        self._renderer = renderer
        self._languages = languages
        self._mailer = mailer
        self._host = host
        self._clock = clock

    def deliver(
        self,
        template: str,
        to: Address,
        *,
        at: int,
        device: str = "",
        language: str = "",
        link: str | None = None,
        until: int | None = None,
        variables: Mapping[str, str] | None = None,
        brand: Brand | None = None,
    ) -> Delivery:
        """Return a mail to be handed over in its turn.

        Args:
            template: its wording.
            to: whom.
            at: unix seconds of what it tells.
            device: the browser that asked for it, in our closed vocabulary; empty is unknown.
            language: the code of its language; empty is the deployment's default.
            link: what it has a button for; `None` for none.
            until: unix seconds until which the link is good; `None` without one.
            variables: what its template names besides; never a text that a person has typed.
            brand: of the organization that it is written for; `None` is the deployment's.
        """

        async def send() -> None:
            message = self._message(
                template,
                to,
                at=at,
                device=device,
                language=language,
                link=link,
                until=until,
                variables=variables,
                brand=brand,
            )
            await self._mailer.send(message)

        return Delivery(to, send)

    def _message(
        self,
        template: str,
        to: Address,
        *,
        at: int,
        device: str,
        language: str,
        link: str | None,
        until: int | None,
        variables: Mapping[str, str] | None,
        brand: Brand | None,
    ) -> Message:
        until = at if until is None else until
        # Always set: a worker begun by a request would go on in the language of that one.
        with use_language(self._languages[language]), use_current_brand(brand):
            email = self._renderer.email(
                template,
                variables=variables,
                kind="LINK",
                code=None,
                otp=None,
                link=link,
                subject_code=None,
                email=to,
                host=self._host,
                device=translate(device_text(device or UNKNOWN)),
                asked_at=format_time(at),
                expiry_time_relative=format_duration(max(1, until - self._clock())),
                expire_time=str(until),
                expiry_time=format_time(until),
            )
        return Message(to, email.subject, email.text, email.html)
