"""Jinja2, set up for our templates and the host's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pwless_middleware.languages.current import current_language
from pwless_middleware.languages.times import format_duration
from pwless_middleware.rendering.package_files import find_package_files

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

TEMPLATE_TYPES: Final = (".html", ".txt")
FUNCTIONS: Final = frozenset({"_", "gettext", "ngettext", "duration"})
"""What templates call, `{% trans %}` too."""


def make_environment(folder: Path | str | None) -> Environment:
    """Return Jinja2, set up; imported here, since it is a quarter of what making an instance costs.

    Our templates are read now, all of them: a process that has run out of file descriptors could
    not open the one that says so. Without templates of a host's, all instances of a process share
    what was read and compiled: nothing in it is one instance's own.

    Args:
        folder: the host's templates, which replace ours of the same name; `None` for ours alone.
    """
    return _make_ours() if folder is None else _make(folder)


@lru_cache(maxsize=1)
def _make_ours() -> Environment:
    return _make(None)


def _make(folder: Path | str | None) -> Environment:
    from jinja2 import (
        ChoiceLoader,
        DictLoader,
        Environment,
        FileSystemLoader,
        PrefixLoader,
        StrictUndefined,
        select_autoescape,
    )

    files = find_package_files("templates", TEMPLATE_TYPES)
    ours = DictLoader({name: file.read_text("utf-8") for name, file in files.items()})
    theirs = [FileSystemLoader(folder)] if folder is not None else []
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
    env.context_class = _context_class(gettext, ngettext)
    env.globals.update(
        {"gettext": gettext, "ngettext": ngettext, "_": gettext, "duration": format_duration}
    )
    # Else a chain of dictionaries, which each page, and each part in it, goes through anew.
    env.make_globals = lambda given: {**env.globals, **(given or {})}  # type: ignore[assignment]
    return env


@lru_cache(maxsize=256)
def find_undeclared(env: Environment, name: str) -> frozenset[str]:
    """Name what a template, and those it draws on, look up in the context.

    Follows `extends`, `include` and `import` where a name is written out.
    """
    from jinja2 import meta, nodes

    loader = env.loader
    assert loader is not None  # `_make` has set it
    found, known = set[str](), {*env.globals}
    pending, seen = [name], set[str]()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        tree = env.parse(loader.get_source(env, current)[0])
        found |= meta.find_undeclared_variables(tree)
        for node in tree.body:
            # What a template sets at its top level is seen by those that it includes.
            if isinstance(node, nodes.Assign | nodes.AssignBlock):
                known |= {n.name for n in node.find_all(nodes.Name) if n.ctx == "store"}
        pending += [other for other in meta.find_referenced_templates(tree) if other]
    return frozenset(found - known)


@lru_cache(maxsize=256)
def _wrap(text: str) -> str:
    """Wrap a paragraph of a text mail to 76 characters, whatever its language.

    It is remembered, since what is wrapped is the same in every mail; wrapping anew took a third of
    the time of the whole mail.
    """
    from textwrap import fill

    return fill(text, 76, break_long_words=False, break_on_hyphens=False)


def _context_class(*functions: Callable[..., str]) -> type[Context]:
    """Return the context of templates that calls these, which take it first, at once.

    Jinja2 asks at each call anew what a function wants to be passed, which takes several times as
    long as a translation; a mail has twenty.
    """
    from jinja2.runtime import Context

    class QuickContext(Context):
        def call(self, function: Callable[..., Any], /, *args: Any, **values: Any) -> Any:
            if function not in functions:
                return super().call(function, *args, **values)
            values.pop("_block_vars", None)  # Jinja2's own, as in `Context.call`
            values.pop("_loop_vars", None)
            return function(self, *args, **values)

    return QuickContext


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
