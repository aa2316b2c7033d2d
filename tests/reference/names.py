"""`python-reference.md`: every public name, from its signature and docstring.

Read from the source, as its author wrote it: so a type is as short as there, and a default is not
what some machine makes of it.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pwless_middleware
from pwless_middleware import kit
from tests.reference.markdown import NOTE, link

GROUPS = {
    "The login": "PasswordlessMiddleware Passwordless requires_fresh",
    "Features": (
        "EmailLogin Passkeys SecondFactors Organizations SSO OIDC Dashboard Webhooks Metrics "
        "Tracing"
    ),
    "Limits and looks": "SendLimits TryLimits SMSLimits SessionPolicy EventRetention Brand",
    "Who is signed in": "User AnonymousUser Session Authentication Person",
    "Email": "SMTPMailer FallbackMailer Outbox Mailer Message",
    "Text messages": (
        "TwilioTexts VonageTexts MessageBirdTexts SNSTexts WebhookTexts FallbackTexts TextOutbox "
        "TextSender TextMessage"
    ),
    "Stores and people": "RedisStore MemoryStore SQLStore Database Store UserDirectory",
    "Rules and events": (
        "Login Step Verdict ChallengeContext Redirect Event Feature Kit Mounted SettingsConflict"
    ),
    "Errors": "PwlessError ConfigError ApiError LoginDenied LoginElsewhere DeliveryError",
}
"""The public names by what they are for, in the order of the page."""
REACHED = (
    "flows.sessions.sessions:Sessions flows.people.people:People "
    "flows.organizations.verbs:OrganizationVerbs flows.settings.settings:Settings "
    "flows.operators.api_keys:ApiKeys delivery.texts.senders:TextSenders "
    "features.email_login.python:EmailVerbs features.passkeys.python:PasskeyVerbs "
    "features.second_factors.python:SecondFactorVerbs features.dashboard.python:DashboardVerbs"
)
"""What nobody imports: it is what a `Passwordless` has, or what its `verbs` gives."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Documented:
    """Hold a docstring, taken apart.

    Attributes:
        text: what stands before the sections, as Markdown.
        sections: the title of a section, and its items: name and text.
    """

    text: str
    sections: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def python_reference() -> str:
    """Return the page."""
    public = [name for names in GROUPS.values() for name in names.split()]
    assert sorted(public) == sorted(pwless_middleware.__all__), "put each name into a group"
    reached = [each.split(":") for each in REACHED.split()]
    for_authors = [name for name in sorted(kit.__all__, key=str.lower) if name not in public]
    known = {*public, *for_authors, *(name for _, name in reached)}
    parts = [
        "# Python, every name",
        NOTE,
        "Everything that `pwless_middleware` exports, with its arguments, what it returns and what "
        "it raises. What is not on this page is not promised. How one uses it is told in "
        "[In Python](python.md), and each option at length in [Options](options.md).",
    ]
    for title, names in GROUPS.items():
        parts += [f"## {title}", _contents(names.split())]
        for name in names.split():
            parts += _describe(name, _home(pwless_middleware, name), known)
    parts += [
        "## What a `Passwordless` has",
        "Nobody imports these: they are its attributes, or what `passwordless.verbs(EmailLogin)` "
        "gives.",
        _contents([name for _, name in reached]),
    ]
    for module, name in reached:
        found = getattr(import_module(f"pwless_middleware.{module}"), name)
        parts += _describe(name, found, known)
    parts += [
        "## For the author of a feature",
        "`pwless_middleware.kit` has these besides. [Rules and features](features.md) begins with "
        "an example.",
    ]
    for name in for_authors:
        parts += _describe(name, _home(kit, name), known)
    return "\n\n".join(part for part in parts if part) + "\n"


def _contents(names: list[str]) -> str:
    return " · ".join(link(f"`{name}`", name) for name in names)


def _home(module: object, name: str) -> object:
    return getattr(module, name)


# --- one name ------------------------------------------------------------------------------------


def _describe(name: str, thing: object, known: set[str]) -> Iterator[str]:
    node = _definition(thing, name)
    yield f"### `{name}`"
    if isinstance(node, ast.ClassDef):
        yield from _class(name, thing, node, known)
    elif isinstance(node, Function):
        yield _signature(name, node)
        yield from _sections(_take_apart(ast.get_docstring(node)), _arguments(node), known)
    else:
        yield f"Is `{_short(str(node))}`."
        if about := _comment(thing, name):
            yield about


def _class(name: str, thing: object, node: ast.ClassDef, known: set[str]) -> Iterator[str]:
    initial = _method(thing, "__init__")
    is_protocol = bool(getattr(thing, "_is_protocol", False))
    fields = _fields(thing)
    if is_protocol:
        yield f"```pyi\nclass {name}(Protocol)\n```"
    elif initial is not None:
        yield _signature(name, initial)
    elif fields and not issubclass(_as_class(thing), BaseException):
        yield _call(name, [f"{each}: {kind}{default}" for each, (kind, default) in fields.items()])
    else:
        bases = [ast.unparse(base) for base in node.bases]
        yield f"```pyi\nclass {name}({', '.join(bases)})\n```"
    documented = _take_apart(ast.get_docstring(node))
    if initial is not None and "Args" not in documented.sections:
        inner = _take_apart(ast.get_docstring(initial))
        documented.sections = {**inner.sections, **documented.sections}
    types = {each: kind + default for each, (kind, default) in fields.items()}
    if initial is not None:
        types |= _arguments(initial)
    yield from _sections(documented, types, known)
    is_feature = name in GROUPS["Features"].split()
    for method in () if is_feature else _methods(thing, node):  # those are for `Passwordless`
        yield from _member(name, method, known)


def _member(name: str, method: Function, known: set[str]) -> Iterator[str]:
    decorators = {ast.unparse(decorator) for decorator in method.decorator_list}
    yield f"#### `{name}.{method.name}`"
    if decorators & {"property", "cached_property", "functools.cached_property"}:
        kind = ast.unparse(method.returns) if method.returns else ""
        yield f"Attribute: {_type(kind, known)}."
    else:
        yield _signature(method.name, method)
    yield from _sections(_take_apart(ast.get_docstring(method)), _arguments(method), known)


def _sections(documented: Documented, types: dict[str, str], known: set[str]) -> Iterator[str]:
    yield documented.text
    for title, items in documented.sections.items():
        told = {"Args": "Arguments"}.get(title, title)
        lines = []
        for name, text in items:
            if title == "Raises":
                shown = name.rpartition(".")[2]
                head = link(f"`{shown}`", shown) if shown in known else f"`{shown}`"
            elif name:
                names = name.split(", ")
                kinds = dict.fromkeys(types.get(each.strip("*"), "") for each in names)
                head = ", ".join(f"`{each}`" for each in names)
                said = "; ".join(_type(kind, known) for kind in kinds if kind)
                head += f" ({said})" if said else ""
            else:
                head = ""
            lines.append(f"- {head}: {text}" if head else f"- {text}")
        yield f"**{told}**\n\n" + "\n".join(lines)


def _type(annotation: str, known: set[str]) -> str:
    """Return a type, with a link where one of the page's names is in it."""
    shown = f"`{_short(annotation)}`"
    found = next((n for n in re.findall(r"[A-Za-z]\w*", annotation) if n in known), None)
    return shown if found is None else link(shown, found)


def _short(annotation: str) -> str:
    return " ".join(annotation.split())


# --- the source ----------------------------------------------------------------------------------


def _as_class(thing: object) -> type:
    assert isinstance(thing, type)
    return thing


@functools.cache
def _tree(module: str) -> ast.Module:
    file = import_module(module).__file__
    assert file is not None
    return ast.parse(Path(file).read_text("utf-8"))


def _definition(thing: object, name: str) -> ast.ClassDef | Function | object:
    module = getattr(thing, "__module__", "")
    if not module.startswith("pwless_middleware"):
        return thing
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ClassDef | Function) and node.name == getattr(
            thing, "__name__", name
        ):
            return node
    return thing


def _comment(thing: object, name: str) -> str:
    """Return the string below a name that is assigned, or nothing."""
    for text in _sources():
        if not re.search(rf"^{name}(?::| =)", text, re.MULTILINE):
            continue
        body = ast.parse(text).body
        for node, after in itertools.pairwise(body):
            target = (
                node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            )
            is_it = isinstance(target, ast.Name) and target.id == name
            if is_it and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                return textwrap.dedent(str(after.value.value)).strip()
    return ""


@functools.cache
def _sources() -> list[str]:
    files = sorted(Path(pwless_middleware.__file__).parent.rglob("*.py"))
    return [file.read_text("utf-8") for file in files]


def _classes(thing: object) -> Iterator[ast.ClassDef]:
    """Return a class of ours and those above it, as they are written."""
    for kind in _as_class(thing).__mro__:
        if kind.__module__.startswith("pwless_middleware"):
            node = _definition(kind, kind.__name__)
            assert isinstance(node, ast.ClassDef)
            yield node


def _method(thing: object, name: str) -> Function | None:
    for node in _classes(thing):
        for each in node.body:
            if isinstance(each, Function) and each.name == name:
                return each
    return None


def _methods(thing: object, node: ast.ClassDef) -> Iterator[Function]:
    """Return what a caller calls, its own and what it has of classes above that are not public."""
    seen: set[str] = set()
    for each in _classes(thing):
        if each is not node and each.name in pwless_middleware.__all__ and each.name != node.name:
            continue
        for method in each.body:
            if (
                isinstance(method, Function)
                and not method.name.startswith("_")
                and method.name not in seen
                and ast.get_docstring(method)
                and not any(ast.unparse(d).endswith(".setter") for d in method.decorator_list)
            ):
                seen.add(method.name)
                yield method


def _fields(thing: object) -> dict[str, tuple[str, str]]:
    """Return a record's fields: type, and default with its sign."""
    found: dict[str, tuple[str, str]] = {}
    for node in reversed(list(_classes(thing))):
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                kind = ast.unparse(each.annotation)
                if not each.target.id.startswith("_") and not kind.startswith("ClassVar"):
                    found[each.target.id] = (kind, _default(each.value))
    return found


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        factory = next((k.value for k in value.keywords if k.arg == "default_factory"), None)
        plain = next((k.value for k in value.keywords if k.arg == "default"), None)
        if factory is not None:
            return f" = {ast.unparse(factory)}()" if isinstance(factory, ast.Name) else " = ..."
        return f" = {ast.unparse(plain)}" if plain is not None else ""
    return f" = {ast.unparse(value)}"


def _arguments(node: Function) -> dict[str, str]:
    """Return the type and default of each argument, by its name."""
    found = {}
    for argument, default in _with_defaults(node):
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        found[argument.arg] = f"{kind}{_default(default)}"
    return found


def _with_defaults(node: Function) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    yield from zip(plain, [*defaults, *given.defaults], strict=True)
    yield from zip(given.kwonlyargs, given.kw_defaults, strict=True)


def _signature(name: str, node: Function) -> str:
    given = node.args
    lines = []
    keyword_only = {argument.arg for argument in given.kwonlyargs}
    has_star = given.vararg is not None
    if given.vararg is not None:
        annotation = given.vararg.annotation
        kind = f": {ast.unparse(annotation)}" if annotation is not None else ""
        star = f"*{given.vararg.arg}{kind}"
    else:
        star = "*"
    for argument, default in _with_defaults(node):
        if argument.arg in ("self", "cls"):
            continue
        if argument.arg in keyword_only and star:
            lines.append(star)
            star, has_star = "", False
        kind = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
        lines.append(f"{argument.arg}{kind}{_default(default)}")
    if has_star:
        lines.append(star)
    if given.kwarg is not None:
        annotation = given.kwarg.annotation
        kind = f": {ast.unparse(annotation)}" if annotation is not None else ""
        lines.append(f"**{given.kwarg.arg}{kind}")
    returns = ast.unparse(node.returns) if node.returns and node.name != "__init__" else ""
    is_async = isinstance(node, ast.AsyncFunctionDef)
    return _call(f"{'await ' if is_async else ''}{name}", lines, returns)


def _call(name: str, lines: list[str], returns: str = "") -> str:
    arrow = f" -> {returns}" if returns else ""
    short = f"{name}({', '.join(lines)}){arrow}"
    if len(short) > 88:
        short = f"{name}(\n    " + ",\n    ".join(lines) + f",\n){arrow}"
    return f"```pyi\n{short}\n```"


# --- docstrings ----------------------------------------------------------------------------------


def _take_apart(doc: str | None) -> Documented:
    text, *rest = re.split(r"^(Args|Attributes|Returns|Raises):\n", doc or "", flags=re.MULTILINE)
    documented = Documented(_fence(text))
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        inside, _, after = (
            re.split(r"(\n+)(?=\S)", body, maxsplit=1)
            if re.search(r"\n+(?=\S)", body)
            else (body, "", "")
        )
        documented.sections[title] = list(_items(textwrap.dedent(inside)))
        if after.strip():
            documented.text += "\n\n" + _fence(after)
    return documented


def _items(body: str) -> Iterator[tuple[str, str]]:
    for item in re.split(r"\n(?=\S)", body.strip("\n")):
        found = re.match(r"(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*):\s+(.*)", item, re.DOTALL)
        name, text = (found[1], found[2]) if found else ("", item)
        yield name, " ".join(text.split())


def _fence(text: str) -> str:
    """Return a docstring's text, with what is indented as code."""
    parts: list[str] = []
    for part in re.split(r"\n\n(?=\S)|\n\n(?=    )", text.strip("\n")):
        if part.startswith("    "):
            code = textwrap.dedent(part).strip("\n")
            if parts and parts[-1].endswith("\n```"):
                parts[-1] = parts[-1].removesuffix("\n```") + f"\n\n{code}\n```"
            else:
                parts.append(f"```pyi\n{code}\n```")
        elif part.strip():
            parts.append(part.strip())
    return "\n\n".join(parts)
