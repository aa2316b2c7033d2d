"""Our own templates, and the host's, in the closed language: where an operator begins to edit.

They extend others, translate and wrap. Here all that is worked out for one language, and what
remains is what the language has: text, variables and `if`. Nothing is rendered: the parse tree is
read, and written down again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from pwless_middleware.rendering.mail_templates.template import Texts

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2 import nodes as jinja

    from pwless_middleware.languages.catalogue import Catalogue

_BODY = re.compile(r"<body\b[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
_VALUE = re.compile(r"%(?:\((\w+)\)s|%)")


class TooFree(Exception):
    """A host's template does what the closed language cannot."""


class _Tag(NamedTuple):
    """A tag of the language: `{% endif %}`."""

    text: str


_Written = list[str | _Tag]


def write_defaults(
    env: Environment, name: str, language: Catalogue, *, fixed: Mapping[str, str]
) -> Texts:
    """Return the templates of a mail as an operator may edit them.

    Args:
        env: finds them, and parses.
        name: of the mail.
        language: in which.
        fixed: variables that are the same in each mail of this name, with their values.

    Raises:
        TooFree: one of them cannot be written in the closed language.
    """
    found = {}
    for ending in (".subject.txt", ".txt", ".html"):
        found[ending] = _Writer(env, language, fixed).write(f"email/{name}{ending}")
    body = _BODY.search(found[".html"])
    if body is None:
        raise TooFree
    return Texts(
        " ".join(found[".subject.txt"].replace("%}\n", "%}").split()),
        re.sub(r"\n{3,}", "\n\n", found[".txt"]).strip() + "\n",
        re.sub(r"\n{2,}", "\n", body[1]).strip() + "\n",
    )


class _Writer:
    """Write down one template, with those that it extends."""

    def __init__(self, env: Environment, language: Catalogue, fixed: Mapping[str, str]) -> None:
        self._env = env
        self._language = language
        self._blocks: dict[str, Sequence[jinja.Node]] = {}
        self._known = {
            **fixed,
            "language": language.code,
            "direction": language.direction,
        }

    def write(self, name: str) -> str:
        """Return the template's text."""
        body = self._load(name)
        written: _Written = []
        self._body(body, dict(self._known), written)
        return _join(written)

    def _load(self, name: str) -> Sequence[jinja.Node]:
        """Return the body of the template at the root; its blocks are the lowest ones."""
        from jinja2 import nodes as jinja

        loader = self._env.loader
        assert loader is not None  # `make_environment` has set it
        tree = self._env.parse(loader.get_source(self._env, name)[0])
        for block in tree.find_all(jinja.Block):
            self._blocks.setdefault(block.name, block.body)
        for node in tree.body:
            if isinstance(node, jinja.Extends):
                if not isinstance(node.template, jinja.Const):
                    raise TooFree
                return self._load(node.template.value)
        return tree.body

    def _body(self, nodes: Sequence[jinja.Node], scope: dict[str, str], written: _Written) -> None:
        from jinja2 import nodes as jinja

        for node in nodes:
            if isinstance(node, jinja.Output):
                for part in node.nodes:
                    written += self._expression(part, scope)
            elif isinstance(node, jinja.If):
                self._choice(node, scope, written)
            elif isinstance(node, jinja.Block):
                self._body(self._blocks[node.name], scope, written)
            elif isinstance(node, jinja.FilterBlock) and node.filter.name == "wrap":
                inner: _Written = []
                self._body(node.body, scope, inner)
                written.append(" ".join(_join(inner).split()))
            elif isinstance(node, jinja.With) and not node.targets:
                self._body(node.body, dict(scope), written)
            elif isinstance(node, jinja.Assign) and isinstance(node.target, jinja.Name):
                scope[node.target.name] = _join(self._expression(node.node, scope))
            elif isinstance(node, jinja.AssignBlock) and isinstance(node.target, jinja.Name):
                kept: _Written = []
                self._body(node.body, scope, kept)
                scope[node.target.name] = _join(kept)
            elif isinstance(node, jinja.Include) and isinstance(node.template, jinja.Const):
                loader = self._env.loader
                source = loader.get_source(self._env, node.template.value)  # type: ignore[union-attr] # has one
                self._body(self._env.parse(source[0]).body, scope, written)
            else:
                raise TooFree

    def _expression(self, node: jinja.Node, scope: Mapping[str, str]) -> _Written:
        from jinja2 import nodes as jinja

        if isinstance(node, jinja.TemplateData):
            return [node.data]
        if isinstance(node, jinja.Const) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, jinja.Name | jinja.Getattr):
            name = _name(node)
            return [scope[name]] if name in scope else [f"{{{{ {name} }}}}"]
        if isinstance(node, jinja.Filter) and node.name in ("safe", "wrap") and node.node:
            return self._expression(node.node, scope)
        if isinstance(node, jinja.Call):
            return self._call(node, scope)
        raise TooFree

    def _call(self, node: jinja.Call, scope: Mapping[str, str]) -> _Written:
        """Return a translated message, or a block that is called by `self.title()`."""
        from jinja2 import nodes as jinja

        called = _name(node.node)
        if called.startswith("self.") and called[5:] in self._blocks:
            written: _Written = []
            self._body(self._blocks[called[5:]], dict(scope), written)
            return written
        first = node.args[0] if len(node.args) == 1 else None
        if called not in ("_", "gettext") or not isinstance(first, jinja.Const):
            raise TooFree
        message = self._language.gettext(first.value)
        values = {one.key: _join(self._expression(one.value, scope)) for one in node.kwargs}
        if not values and "%" not in message:
            return [message]
        return [_VALUE.sub(lambda found: values[found[1]] if found[1] else "%", message)]

    def _choice(self, node: jinja.If, scope: dict[str, str], written: _Written) -> None:
        branches: list[tuple[str | bool, Sequence[jinja.Node]]] = [
            (self._test(one.test, scope), one.body) for one in (node, *node.elif_)
        ]
        branches.append((True, node.else_))
        word = "if"
        for test, body in branches:
            if test is False:
                continue
            if test is True:
                if word == "if":
                    self._body(body, scope, written)
                    return
                if body:
                    written.append(_Tag("{% else %}"))
                    self._body(body, scope, written)
                break
            written.append(_Tag(f"{{% {word} {test} %}}"))
            word = "elif"
            self._body(body, scope, written)
        written.append(_Tag("{% endif %}"))

    def _test(self, node: jinja.Node, scope: Mapping[str, str]) -> str | bool:
        """Return a test as it is written, or how it turns out in this language."""
        from jinja2 import nodes as jinja

        if isinstance(node, jinja.Not):
            inner = self._test(node.node, scope)
            return f"not {inner}" if isinstance(inner, str) else not inner
        if isinstance(node, jinja.And | jinja.Or):
            left, right = self._test(node.left, scope), self._test(node.right, scope)
            is_and = isinstance(node, jinja.And)
            for one, other in ((left, right), (right, left)):
                if isinstance(one, bool):
                    return other if one is is_and else one
            return f"{left} {'and' if is_and else 'or'} {right}"
        if isinstance(node, jinja.Compare) and len(node.ops) == 1:
            name, compared = _name(node.expr), node.ops[0]
            if isinstance(compared.expr, jinja.Const) and compared.op in ("eq", "ne"):
                if name in self._known:
                    is_that = bool(self._known[name] == compared.expr.value)
                    return is_that == (compared.op == "eq")
                sign = "==" if compared.op == "eq" else "!="
                return f'{name} {sign} "{compared.expr.value}"'
        name = _name(node)
        return bool(self._known[name]) if name in self._known else name


def _name(node: jinja.Node) -> str:
    from jinja2 import nodes as jinja

    if isinstance(node, jinja.Name):
        return node.name
    if isinstance(node, jinja.Getattr):
        return f"{_name(node.node)}.{node.attr}"
    raise TooFree


_LINE_END: Final = "\n"


def _join(written: _Written) -> str:
    """Return the text, with a line end behind each tag on a line of its own.

    The language drops one there, as it has been dropped when the template was parsed.
    """
    text = ""
    pieces = [piece for piece in written if piece]
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            text += piece
            continue
        behind = pieces[index + 1] if index + 1 < len(pieces) else ""
        starts_line = text.endswith(_LINE_END) or not text
        text += piece.text
        if starts_line or (isinstance(behind, str) and behind.startswith(_LINE_END)):
            text += _LINE_END
    return text
