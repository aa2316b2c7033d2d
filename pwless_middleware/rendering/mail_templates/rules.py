"""What the templates of this deployment may hold: its mails, its variables, its origins."""

from __future__ import annotations

from pwless_middleware.core.operators.mail_template import MailTemplate
from pwless_middleware.languages.catalogue import Catalogue
from pwless_middleware.languages.current import translate, use_language
from pwless_middleware.rendering.mail_templates.defaults import TooFree, write_defaults
from pwless_middleware.rendering.mail_templates.links import LinkRules
from pwless_middleware.rendering.mail_templates.mails import MAILS, Mail
from pwless_middleware.rendering.mail_templates.nodes import Refused
from pwless_middleware.rendering.mail_templates.template import (
    Fault,
    ReadTemplate,
    Texts,
    Variables,
    read_message,
    read_texts,
)
from pwless_middleware.rendering.renderer import MAIL_VARIABLES, Renderer


class TemplateRules:
    """Read templates by the rules of a deployment.

    Args:
        renderer: has our own templates, and the host's.
        links: say where a template may lead.
    """

    def __init__(self, renderer: Renderer, links: LinkRules) -> None:
        self._renderer = renderer
        self._links = links
        self._defaults: dict[tuple[str, str], Texts] = {}
        self._unwritten: set[tuple[str, str]] = set()

    def read(self, name: str, texts: Texts) -> tuple[ReadTemplate | None, tuple[Fault, ...]]:
        """Return a template, or what is wrong with it.

        Args:
            name: of the mail or text message.
            texts: as they were typed; of a text message, the text alone is read.
        """
        mail = MAILS[name]
        if mail.channel == "email":
            return read_texts(texts, self.variables(name), self._links)
        try:
            nodes = read_message(texts.text, {one.name for one in mail.variables}, self._links)
        except Refused as refused:
            return None, (Fault("text", refused.line, refused.reason),)
        return ReadTemplate((), nodes, (), ()), ()

    def read_stored(self, template: MailTemplate) -> ReadTemplate | None:
        """Return a template that was saved; `None` where it is not admitted any more."""
        if template.version.name not in MAILS:
            return None
        texts = Texts(template.subject, template.text, template.html)
        return self.read(template.version.name, texts)[0]

    def variables(self, name: str) -> Variables:
        """Return what the template of a mail may name."""
        return MAILS[name].admits(self.callers_variables(name))

    def callers_variables(self, name: str) -> frozenset[str]:
        """Return the variables of a mail that the host's own templates want of a caller."""
        mail = MAILS[name]
        if mail.channel != "email":
            return frozenset()
        own = {one.name for one in mail.own}
        return self._renderer.template_variables(name) - own - MAIL_VARIABLES

    def write_defaults(self, name: str, language: Catalogue) -> Texts:
        """Return what is sent where no operator has edited it, in the closed language.

        Where the host's own template cannot be written in it, it is the product's.

        Args:
            name: of the mail or text message.
            language: in which.
        """
        key = (name, language.code)
        if key not in self._defaults:  # it takes tens of milliseconds, and is always the same
            self._defaults[key] = self._write_defaults(name, language)
        return self._defaults[key]

    def has_other(self, name: str, language: Catalogue) -> bool:
        """Whether the host has a template of its own that the closed language cannot say.

        It is sent where no operator has edited it, and is not what `write_defaults` returns.
        """
        self.write_defaults(name, language)
        return (name, language.code) in self._unwritten

    def _write_defaults(self, name: str, language: Catalogue) -> Texts:
        mail = MAILS[name]
        if mail.channel != "email":
            with use_language(language):
                return Texts("", _message_of(mail), "")
        for is_hosts in (True, False):
            env = self._renderer.environment(is_hosts=is_hosts)
            try:
                texts = write_defaults(env, name, language, fixed=mail.fixed)
            except TooFree:
                continue
            if self.read(name, texts)[0] is not None:
                if not is_hosts:
                    self._unwritten.add((name, language.code))
                return texts
        return texts


def _message_of(mail: Mail) -> str:
    from pwless_middleware.rendering.mail_templates.messages import MESSAGES

    return translate(MESSAGES[mail.name]) % {"code": "{{ code }}", "brand": "{{ brand.name }}"}
