"""Pages, mails and their static files, as text and bytes; the host's own templates come first.

Knows no HTTP: the web floor says which page, with which values, and sets the headers. The headers
are strict (`default-src 'none'; style-src 'self'; script-src 'self'`), so a page holds no inline
style and no inline script; the brand's colours travel as a small stylesheet of its own.

A host's folder mirrors `templates/`: a file of the same name replaces ours, and can still build on
it, since ours stay reachable under `pwless/` (`{% extends "pwless/login.html" %}`).

Texts are written in the language that is set (`languages.current`); templates are compiled once for
all of them. A host's template may use `_("…")` and `{% trans %}`, or none of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.paths import LOGIN_PATH
from pwless_middleware.errors import ConfigError
from pwless_middleware.languages.current import current_language
from pwless_middleware.rendering.assets import Assets
from pwless_middleware.rendering.current_brand import current_brand
from pwless_middleware.rendering.environment import (
    FUNCTIONS,
    TEMPLATE_TYPES,
    find_undeclared,
    make_environment,
)
from pwless_middleware.rendering.look import Look, brand_of_mail
from pwless_middleware.rendering.package_files import find_package_files
from pwless_middleware.rendering.sentence_spaces import close_up

if TYPE_CHECKING:
    from jinja2 import Environment, Template

    from pwless_middleware.rendering.mail_templates.template import ReadTemplate

logger = logging.getLogger("pwless.mail_templates")

MAIL_VARIABLES: Final = frozenset(
    {
        *("kind", "code", "link", "expiry_time_relative", "asked_at", "device", "email", "host"),
        *("otp", "expire_time", "expiry_time"),  # as Scalekit's templates call them
    }
)
"""What every mail template is given, besides `brand` and `palette`; a caller's own come on top.

`host` is the login's own, for a domain-bound code's last line.
"""

SUBJECT_VARIABLES: Final = frozenset({"kind", "expiry_time_relative", "asked_at", "subject_code"})
"""All that a subject may name besides `brand`: no user input in any header (security rule 16).

`subject_code` is the code where `EmailLogin(code_in_subject=True)` puts it there, else `None`.
"""

_OF_EVERY_MAIL: Final = frozenset({"brand", "palette", "language", "direction"})

RESERVED_VARIABLES: Final = MAIL_VARIABLES | SUBJECT_VARIABLES | _OF_EVERY_MAIL | FUNCTIONS
"""What we set in every mail, so that a caller's variable of that name would be ignored."""


_MOST_LOOKS: Final = 64
"""Brands of organizations whose look is kept: what follows from one takes 0.3 ms to work out."""


@dataclass(frozen=True, slots=True)
class Email:
    """A rendered mail. `text` and `html` hold the code and the link, so `repr` leaves them out."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class OperatorTemplates(Protocol):
    """The templates that operators have written."""

    def find(self, name: str, language: str) -> ReadTemplate | None:
        """Return the template of a mail or text message, or `None` where ours holds."""
        ...

    def leave_out(self, name: str, language: str) -> None:
        """Have ours hold instead of a template that could not be filled, until it is changed."""
        ...


class Renderer:
    """Turn a template's name and its values into a page or a mail.

    Args:
        brand: whose login this is, until `use_brand` says otherwise.
        templates: a folder whose files replace ours of the same name; `None` for ours alone.
        prefix: where our routes are mounted, `/auth`.

    Raises:
        ConfigError: `templates` is no folder, a file in it that replaces one of ours does not
            parse, or a subject in it names more than `SUBJECT_VARIABLES`.
    """

    def __init__(self, *, brand: Brand, templates: Path | str | None, prefix: str) -> None:
        if templates is not None and not Path(templates).is_dir():
            raise ConfigError("templates", f"{templates} is not a folder; set one that exists")
        self._look = Look(brand)
        self._looks: dict[Brand, Look] = {}  # of organizations
        self._prefix = prefix
        self._mail_variables: dict[str, frozenset[str]] = {}
        self._templates: dict[str, Template] = {}
        self._folder = templates
        self._operators: OperatorTemplates | None = None
        if templates is not None:
            self._check(Path(templates))

    def use_brand(self, brand: Brand) -> None:
        """Take another brand for every page and mail from now on; from any thread."""
        if brand != self._look.brand:
            self._look = Look(brand)

    def _current_look(self) -> Look:
        """Return the look of what is being written: the deployment's, or an organization's."""
        brand = current_brand()
        if brand is None:
            return self._look
        found = self._looks.get(brand)
        if found is None:
            if len(self._looks) >= _MOST_LOOKS:
                self._looks.clear()
            found = self._looks[brand] = Look(brand, is_deployments=False)
        return found

    @property
    def brand(self) -> Brand:
        """Whose login this is now; the deployment's, whatever is being written."""
        return self._look.brand

    @property
    def template_values(self) -> dict[str, object]:
        """What templates that operators edit name of the brand, by the names with a dot."""
        return self._look.dotted

    @property
    def brand_name(self) -> str:
        """How the site is called now."""
        return self._look.brand.name

    @property
    def assets(self) -> Assets:
        """The static files, as they are now."""
        return self._look.assets

    @cached_property
    def _env(self) -> Environment:
        return make_environment(self._folder)

    def _template(self, name: str) -> Template:
        """Return a template, looked up once."""
        found = self._templates.get(name)
        if found is None:
            found = self._templates[name] = self._env.get_template(name)
        return found

    def _check(self, folder: Path) -> None:
        """Refuse now what would otherwise fail when the first person wants to sign in."""
        from jinja2 import FileSystemLoader, TemplateSyntaxError

        theirs = FileSystemLoader(folder).list_templates()
        for name in sorted(
            set(theirs).intersection(find_package_files("templates", TEMPLATE_TYPES))
        ):
            try:
                self._env.get_template(name)
            except TemplateSyntaxError as exc:
                raise ConfigError(
                    "templates", f"correct {exc.name}, line {exc.lineno}: {exc.message}"
                ) from exc
            if name.endswith(".subject.txt") and (
                foreign := self._find_undeclared(name) - SUBJECT_VARIABLES
            ):
                raise ConfigError(
                    "templates",
                    f"take {', '.join(sorted(foreign))} out of {name}: a subject may name only "
                    f"brand, {', '.join(sorted(SUBJECT_VARIABLES))}",
                )

    def page(self, name: str, /, *, root_path: str = "", **context: object) -> str:
        """Render the page `name` (`login.html`) with `context`, every key of which it needs.

        Args:
            name: the template's file name.
            root_path: the ASGI `root_path`, which stands before all our URLs; empty by default.
            context: the values that the template names.

        Raises:
            jinja2.UndefinedError: the template names something that is not in `context`.
        """
        base, look = root_path + self._prefix, self._current_look()

        def asset(name: str) -> str:
            return f"{base}/static/{look.assets.by_name[name].hashed_name}"

        language = current_language()
        own = {
            **look.values,
            "home": root_path + "/",
            "base": base,
            "asset": asset,
            "language": language.code,
            "direction": language.direction,
            "durations": language.durations,
        }
        shared = {"login_url": base + LOGIN_PATH, "language_menu": None}
        html = self._template(name).render(shared | context | own)
        # What operators edit on the dashboard stays as they write it.
        return html if name.startswith("dashboard/") else close_up(html, language.code)

    def part(self, name: str, /, *, root_path: str = "", **context: object) -> str:
        """Render a part of a page, as HTML that the page's template takes as it is.

        Args:
            name: the template's file name.
            root_path: as for `page`.
            context: the values that the template names.

        Raises:
            jinja2.UndefinedError: the template names something that is not in `context`.
        """
        from markupsafe import Markup  # with Jinja2

        return Markup(self.page(name, root_path=root_path, **context))  # noqa: S704  # it is escaped

    def email(
        self, name: str, /, *, variables: Mapping[str, str] | None = None, **context: object
    ) -> Email:
        """Render the mail `name` (`signin`, `signup`): its subject, text and HTML.

        Args:
            name: how the names of its three templates begin.
            variables: a caller's own, on the same level as ours but never over them. One that a
                template names and that is not here is empty: a mail that a page has asked for
                must go out, and pages have none. (A JSON caller is told 400 before that.)
            context: each of `MAIL_VARIABLES` and `SUBJECT_VARIABLES`.

        Raises:
            jinja2.UndefinedError: one of ours is missing.
        """
        # Ours win, so that no caller's variable can put its own link or code in place of ours, nor
        # a text in place of what translates.
        given = {key: text for key, text in (variables or {}).items() if key not in FUNCTIONS}
        empty = dict.fromkeys(self.template_variables(name), "")
        language, current = current_language(), self._current_look()
        look, brand = current.values, brand_of_mail(current.brand, context.get("host"))
        own = {**look, "brand": brand, "language": language.code, "direction": language.direction}
        values = {**empty, **given, **context, **own}
        found = self._find(name)
        if found is not None:
            try:
                return self.fill(found, values)
            except Exception:  # whatever it is, nobody waits in vain for a mail
                self._leave_out(name)
        only_ours = {key: value for key, value in context.items() if key in SUBJECT_VARIABLES}

        def render(ending: str, values: Mapping[str, object]) -> str:
            return self._template(f"email/{name}{ending}").render(values)

        return Email(
            subject=" ".join(render(".subject.txt", only_ours | look).split()),
            text=re.sub(r"\n{3,}", "\n\n", render(".txt", values)).strip() + "\n",
            html=render(".html", values),
        )

    def fill(
        self,
        template: ReadTemplate,
        values: Mapping[str, object],
    ) -> Email:
        """Return the mail that a template of an operator makes of values.

        Args:
            template: which.
            values: by name; those of the brand are added.

        Raises:
            KeyError: there is no value for a variable.
        """
        from markupsafe import Markup  # with Jinja2

        language, look = current_language(), self._current_look()
        brand = brand_of_mail(look.brand, values.get("host"))
        subject = template.fill_subject({**values, **look.dotted})
        values = {**values, **look.dotted, "brand.name": brand.name}
        html = self._template("email/frame.html").render(
            brand=brand,
            palette=look.palette,
            language=language.code,
            direction=language.direction,
            title=subject,
            body=Markup(template.fill_html(values)),  # noqa: S704  # values are escaped in it
        )
        return Email(subject, template.fill_text(values), html)

    def message(self, name: str, values: Mapping[str, object]) -> str | None:
        """Return the text message that an operator has written; `None` where ours is sent.

        Args:
            name: of the text message.
            values: each of its variables, but the brand's.
        """
        found = self._find(name)
        if found is None:
            return None
        try:
            return found.fill_message({**values, **self._current_look().dotted})
        except Exception:
            self._leave_out(name)
            return None

    def use_templates(self, templates: OperatorTemplates) -> None:
        """Send what operators have written instead of ours, from now on."""
        self._operators = templates

    def environment(self, *, is_hosts: bool = True) -> Environment:
        """Return Jinja2 with the host's templates and ours, or with ours alone."""
        return self._env if is_hosts else make_environment(None)

    def _find(self, name: str) -> ReadTemplate | None:
        if self._operators is None:
            return None
        return self._operators.find(name, current_language().code)

    def _leave_out(self, name: str) -> None:
        """Send ours instead of an operator's template that could not be filled."""
        assert self._operators is not None  # it has given the template
        logger.exception("a template could not be filled", extra={"event": "mail_template_failed"})
        self._operators.leave_out(name, current_language().code)

    def template_variables(self, name: str) -> frozenset[str]:
        """Name the variables that the mail `name` wants from its caller, over and above ours.

        Follows `extends`, `include` and `import` where the template's name is written out.
        """
        if name not in self._mail_variables:
            found = self._find_undeclared(f"email/{name}.txt") | self._find_undeclared(
                f"email/{name}.html"
            )
            self._mail_variables[name] = frozenset(found - RESERVED_VARIABLES)
        return self._mail_variables[name]

    def _find_undeclared(self, name: str) -> frozenset[str]:
        """Name what `name` and the templates it draws on look up in the context, but our own."""
        return find_undeclared(self._env, name) - _OF_EVERY_MAIL
