"""What a template looks like: a document of its own, for a sandboxed frame.

It has a strict policy of its own: nothing runs, nothing is loaded but images of this origin, and it
has no origin itself (security rule 64).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from starlette.responses import Response

from pwless_middleware.delivery.texts.gsm_alphabet import measure
from pwless_middleware.features.dashboard.templates.samples import make_values
from pwless_middleware.languages.catalogue import Catalogue
from pwless_middleware.languages.current import current_language, translate, use_language
from pwless_middleware.rendering.mail_templates.mails import Mail
from pwless_middleware.rendering.mail_templates.template import Fault, ReadTemplate
from pwless_middleware.rendering.renderer import Email
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import ON_PAGES

VIEWS: Final = ("desktop", "phone", "dark", "text")
_DARK = "@media (prefers-color-scheme: dark)"
_STYLE = (
    "body{margin:0;padding:16px;background:#fff;color:#17191e;"
    "font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "pre{margin:0;font:14px/1.5 ui-monospace,monospace;white-space:pre-wrap}"
    "p{margin:0 0 12px}.subject{padding-bottom:12px;border-bottom:1px solid #ddd;font-weight:600}"
)


class Previews:
    """Show templates filled with samples.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def email(
        self, template: ReadTemplate, mail: Mail, language: Catalogue, kind: str, to: str
    ) -> Email:
        """Return a mail as it would be sent.

        Args:
            template: which.
            mail: of which mail.
            language: in which it is written.
            kind: what it is sent as.
            to: whom.
        """
        with use_language(language):
            values = make_values(self._kit, mail, kind=kind, email=to)
            return self._kit.renderer.fill(template, values)

    def message(self, template: ReadTemplate, mail: Mail, language: Catalogue) -> str:
        """Return a text message as it would be sent, with the line that binds its code."""
        with use_language(language):
            values = make_values(self._kit, mail, kind="OTP", email="")
            said = template.fill_message({**values, **self._kit.renderer.template_values})
        return f"{said}\n\n@{values['host']} #{values['code']}"

    def show(
        self,
        template: ReadTemplate,
        mail: Mail,
        language: Catalogue,
        *,
        kind: str,
        view: str,
        to: str,
    ) -> Response:
        """Return the document.

        Args:
            template, mail, language, kind, to: as for `email`.
            view: one of `VIEWS`.
        """
        if mail.channel != "email":
            return self._document(_show_message(self.message(template, mail, language)))
        email = self.email(template, mail, language, kind, to)
        if view == "text":
            subject = f'<p class="subject">{escape(email.subject)}</p>'
            return self._document(f"{subject}<pre>{escape(email.text)}</pre>")
        scheme = "all" if view == "dark" else "not all"
        html = email.html.replace(_DARK, f"@media {scheme}")
        return self._respond(html.replace("light dark", "dark" if view == "dark" else "light"))

    def refuse(self, faults: Sequence[Fault]) -> Response:
        """Return a document that says why there is nothing to show."""
        head = escape(translate(Text("There is no preview yet:")))
        items = "".join(f"<p>{escape(line)}</p>" for line in map(tell_fault, faults))
        return self._document(f"<p><b>{head}</b></p>{items}", status=422)

    def _document(self, body: str, *, status: int = 200) -> Response:
        language = current_language().code
        html = (
            f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title></title>'
            f"<style>{_STYLE}</style></head><body>{body}</body></html>"
        )
        return self._respond(html, status=status)

    def _respond(self, html: str, *, status: int = 200) -> Response:
        headers = {
            **ON_PAGES,
            "content-security-policy": (
                "default-src 'none'; style-src 'unsafe-inline'; "
                f"img-src {self._kit.origin.origin}; form-action 'none'; frame-ancestors 'self'; "
                "base-uri 'none'; sandbox"
            ),
            "x-frame-options": "SAMEORIGIN",
            "referrer-policy": "no-referrer",
        }
        return Response(html, status, headers, "text/html; charset=utf-8")


def tell_fault(fault: Fault) -> str:
    """Return a fault as a sentence: where, and what."""
    part = translate(PARTS[fault.part])
    reason = translate(fault.reason)
    if not fault.line:
        return translate(Text("%(part)s: %(reason)s", part=part, reason=reason))
    return translate(
        Text("%(part)s, line %(line)s: %(reason)s", part=part, line=fault.line, reason=reason)
    )


PARTS: Final = {"subject": Text("Subject"), "text": Text("Plain text"), "html": Text("HTML")}
"""What the parts of a mail are called."""


def tell_length(text: str) -> str:
    """Return how long a text message is, and how many are paid for."""
    length = measure(text)
    parts = translate(Text.for_count("%(n)s part", "%(n)s parts", length.parts))
    return translate(
        Text(
            "%(used)s of %(room)s characters, %(parts)s.",
            used=length.used,
            room=length.room,
            parts=parts,
        )
    ) + (
        ""
        if length.is_gsm
        else " "
        + translate(
            Text("A character that is not in the GSM alphabet leaves room for 70 in one part.")
        )
    )


def _show_message(text: str) -> str:
    return f'<p class="subject">{escape(tell_length(text))}</p><pre>{escape(text)}</pre>'
