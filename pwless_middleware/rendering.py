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

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.colors import Palette
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.named_options import named_options
from pwless_middleware.core.paths import LOGIN_PATH
from pwless_middleware.errors import ConfigError
from pwless_middleware.languages.current import current_language
from pwless_middleware.languages.times import format_duration

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from jinja2 import Environment
    from jinja2.runtime import Context

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

_MEDIA_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_TEMPLATE_TYPES: Final = (".html", ".txt")
_DEFAULT_COLOR: Final = "#3d4ed8"


@named_options()
@dataclass(frozen=True, slots=True)
class Brand:
    """Whose login this is, on every page and in every mail.

    Args:
        name: the product's name, 1 to 100 printable characters.
        logo: a path on this origin (`/static/logo.svg`) or a `data:image/…` URL; `None` shows the
            name's first letter. Mails show the name only, so that they work without images.
        color: the one accent colour, `#rgb` or `#rrggbb`; `None` takes ours. Any colour is safe:
            what is written on it and in it is moved until WCAG 2.2 contrast holds (`Palette`).

    Raises:
        ConfigError: a value is none of these; the option is `brand.name`, `.logo` or `.color`.
    """

    name: str
    logo: str | None = field(default=None, kw_only=True)
    color: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        # Hosts without a type checker hand over what a variable or a database gave them.
        given: dict[str, object] = {"name": self.name, "logo": self.logo, "color": self.color}
        for option, value in given.items():
            if not isinstance(value, str) and (value is not None or option == "name"):
                raise ConfigError(f"brand.{option}", "set a text")
        if not (0 < len(self.name) <= 100 and self.name.strip() and self.name.isprintable()):
            raise ConfigError("brand.name", "set 1 to 100 printable characters")
        if self.logo is not None and not re.fullmatch(
            # A browser reads `//host` and `/\host` as another origin.
            r"/(?![/\\])[!-\[\]-~]*|data:image/[a-z0-9.+-]+[;,][!-~]*",
            self.logo,
        ):
            raise ConfigError(
                "brand.logo", "set a path that begins with one slash, or a data:image/… URL"
            )
        if self.color is not None and not re.fullmatch(
            r"#(?:[0-9A-Fa-f]{3}){1,2}", self.color, re.ASCII
        ):
            raise ConfigError("brand.color", "set a colour such as #3d4ed8 or #34d")


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file, to be served as `{prefix}/static/{hashed_name}` and cached for good.

    Attributes:
        name: what templates call it, `pwless.css`.
        content: its bytes.
        media_type: its whole `Content-Type`.
        hashed_name: the name with 32 bits of the content's SHA-256 in it, `pwless.3f2a91c0.css`.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str
    hashed_name: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Asset:
        """Make the asset; the name's ending says its media type."""
        stem, ending = Path(name).stem, Path(name).suffix
        digest = hashlib.sha256(content).hexdigest()[:8]
        return cls(name, content, _MEDIA_TYPES[ending], f"{stem}.{digest}{ending}")


@dataclass(frozen=True, slots=True)
class Email:
    """A rendered mail. `text` and `html` hold the code and the link, so `repr` leaves them out."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class Renderer:
    """Turn a template's name and its values into a page or a mail.

    Args:
        brand: whose login this is.
        templates: a folder whose files replace ours of the same name; `None` for ours alone.
        prefix: where our routes are mounted, `/auth`.

    Attributes:
        assets: the static files by their `hashed_name`, which is the last part of their URL.

    Raises:
        ConfigError: `templates` is no folder, a file in it that replaces one of ours does not
            parse, or a subject in it names more than `SUBJECT_VARIABLES`.
    """

    def __init__(self, *, brand: Brand, templates: Path | str | None, prefix: str) -> None:
        if templates is not None and not Path(templates).is_dir():
            raise ConfigError("templates", f"{templates} is not a folder; set one that exists")
        self._palette = Palette.of(brand.color or _DEFAULT_COLOR)
        self._prefix = prefix
        self._own: dict[str, object] = {"brand": brand, "palette": self._palette}
        self._mail_variables: dict[str, frozenset[str]] = {}
        self._folder = templates
        if templates is not None:
            self._check(Path(templates))

    @cached_property
    def assets(self) -> Mapping[str, Asset]:
        """The static files, read with the first page: finding them costs as much as making us."""
        files = _own_files("static", _MEDIA_TYPES)
        assets = [Asset.of(name, file.read_bytes()) for name, file in files.items()]
        assets.append(Asset.of("brand.css", self._palette.css().encode()))
        return {asset.hashed_name: asset for asset in assets}

    @cached_property
    def _by_name(self) -> Mapping[str, Asset]:
        return {asset.name: asset for asset in self.assets.values()}

    @cached_property
    def _env(self) -> Environment:
        """Jinja2, set up; imported here, since it is a quarter of what making an instance costs.

        Our templates are read now, all of them: a process that has run out of file descriptors
        could not open the one that says so.
        """
        from jinja2 import (
            ChoiceLoader,
            DictLoader,
            Environment,
            FileSystemLoader,
            PrefixLoader,
            StrictUndefined,
            select_autoescape,
        )

        files = _own_files("templates", _TEMPLATE_TYPES)
        ours = DictLoader({name: file.read_text("utf-8") for name, file in files.items()})
        theirs = [FileSystemLoader(self._folder)] if self._folder is not None else []
        env = Environment(
            extensions=["jinja2.ext.i18n"],
            loader=ChoiceLoader([*theirs, ours, PrefixLoader({"pwless": ours})]),
            autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        env.policies["ext.i18n.trimmed"] = True  # a message is one line, however it is wrapped
        env.newstyle_gettext = True  # type: ignore[attr-defined] # the extension's
        env.filters["wrap"] = _wrap
        gettext, ngettext = _template_functions()
        env.globals.update(
            {"gettext": gettext, "ngettext": ngettext, "_": gettext, "duration": format_duration}
        )
        return env

    def _check(self, folder: Path) -> None:
        """Refuse now what would otherwise fail when the first person wants to sign in."""
        from jinja2 import FileSystemLoader, TemplateSyntaxError

        theirs = FileSystemLoader(folder).list_templates()
        for name in sorted(set(theirs).intersection(_own_files("templates", _TEMPLATE_TYPES))):
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
        base = root_path + self._prefix

        def asset(name: str) -> str:
            return f"{base}/static/{self._by_name[name].hashed_name}"

        language = current_language()
        own = {
            **self._own,
            "home": root_path + "/",
            "base": base,
            "asset": asset,
            "language": language.code,
            "direction": language.direction,
            "durations": language.durations,
        }
        shared = {"login_url": base + LOGIN_PATH}
        return self._env.get_template(name).render(shared | context | own)

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

    def other_version(self, hashed_name: str) -> Asset | None:
        """Return the file of that name whose content here is another than the hash says.

        During a rolling deployment a page of one version asks a process of the other for its
        style sheet. Ours is nearer to what the page needs than none. `None` if the name is none of
        ours.
        """
        stem, _, rest = hashed_name.partition(".")
        digest, _, ending = rest.partition(".")
        if not re.fullmatch("[0-9a-f]{8}", digest):
            return None
        return self._by_name.get(f"{stem}.{ending}")

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
        # Ours win, so that no caller's variable can put its own link or code in place of ours.
        empty = dict.fromkeys(self.template_variables(name), "")
        language = current_language()
        own = {**self._own, "language": language.code, "direction": language.direction}
        values = {**empty, **(variables or {}), **context, **own}
        only_ours = {key: value for key, value in context.items() if key in SUBJECT_VARIABLES}

        def render(ending: str, values: Mapping[str, object]) -> str:
            return self._env.get_template(f"email/{name}{ending}").render(values)

        return Email(
            subject=" ".join(render(".subject.txt", only_ours | self._own).split()),
            text=re.sub(r"\n{3,}", "\n\n", render(".txt", values)).strip() + "\n",
            html=render(".html", values),
        )

    def template_variables(self, name: str) -> frozenset[str]:
        """Name the variables that the mail `name` wants from its caller, over and above ours.

        Follows `extends`, `include` and `import` where the template's name is written out.
        """
        if name not in self._mail_variables:
            found = self._find_undeclared(f"email/{name}.txt") | self._find_undeclared(
                f"email/{name}.html"
            )
            self._mail_variables[name] = frozenset(found - MAIL_VARIABLES)
        return self._mail_variables[name]

    def _find_undeclared(self, name: str) -> set[str]:
        """Name what `name` and the templates it draws on look up in the context."""
        from jinja2 import meta, nodes

        loader = self._env.loader
        assert loader is not None  # `_env` has set it
        found: set[str] = set()
        known: set[str] = {*self._env.globals, *self._own, "language", "direction"}
        pending, seen = [name], set[str]()
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            tree = self._env.parse(loader.get_source(self._env, current)[0])
            found |= meta.find_undeclared_variables(tree)
            for node in tree.body:
                # What a template sets at its top level is seen by those that it includes.
                if isinstance(node, nodes.Assign | nodes.AssignBlock):
                    known |= {n.name for n in node.find_all(nodes.Name) if n.ctx == "store"}
            pending += [other for other in meta.find_referenced_templates(tree) if other]
        return found - known


@lru_cache(maxsize=256)
def _wrap(text: str) -> str:
    """Wrap a paragraph of a text mail to 76 characters, whatever its language.

    It is remembered, since what is wrapped is the same in every mail; wrapping anew took a third of
    the time of the whole mail.
    """
    from textwrap import fill

    return fill(text, 76, break_long_words=False, break_on_hyphens=False)


def _template_functions() -> tuple[Callable[..., str], Callable[..., str]]:
    """Return what `_()` and `{% trans %}` call in templates.

    As `install_gettext_callables(newstyle=True)` has them, but an escaped value is put into a `str`
    and not into a `Markup`, which takes four times as long.
    """
    from jinja2 import pass_context
    from markupsafe import Markup, escape

    def fill(context: Context, message: str, values: Mapping[str, object]) -> str:
        if not context.eval_ctx.autoescape:
            return message % values if "%" in message else message
        # Messages and translations are ours, and may hold elements; values are escaped.
        if "%" in message:
            message %= {name: escape(value) for name, value in values.items()}
        return Markup(message)  # noqa: S704 # see above

    @pass_context
    def gettext(context: Context, message: str, /, **values: object) -> str:
        return fill(context, current_language().gettext(message), values)

    @pass_context
    def ngettext(context: Context, one: str, several: str, count: int, /, **values: object) -> str:
        message = current_language().ngettext(one, several, count)
        return fill(context, message, {"num": count, **values})

    return gettext, ngettext


def _own_files(folder: str, endings: Iterable[str]) -> dict[str, Traversable]:
    """Return the package's files below a folder, by relative name; the package may be in a zip."""
    from importlib import resources  # with the first page or email, as Jinja2

    def below(place: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
        for entry in place.iterdir():
            if entry.is_dir():
                yield from below(entry, f"{path}{entry.name}/")
            elif entry.name.endswith(tuple(endings)):
                yield path + entry.name, entry

    return dict(below(resources.files("pwless_middleware") / folder, ""))
