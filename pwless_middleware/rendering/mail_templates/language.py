"""The language of templates that operators write: text, variables and `if`, and nothing else.

    Hello{% if name %} {{ name }}{% endif %}, your code is {{ code }}.

It is written as Jinja2 has it, and read by Jinja2's parser. Of the parse tree only what is named
here is admitted, and what was read is data (`nodes`): no template is ever compiled or run, so that
there is nothing that could be broken out of (security rule 64). A comparison is admitted of those
variables alone whose values are a closed list: an `if` that could ask whether the code begins with
a 7 would tell it, by which picture is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.control_characters import BIDI, LINE_ENDS
from pwless_middleware.rendering.mail_templates.nodes import (
    Choice,
    Literal,
    Node,
    Nodes,
    Refused,
    Test,
    Variable,
    walk,
)
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from jinja2 import nodes as jinja

COMPARED: Final[Mapping[str, frozenset[str]]] = {
    "kind": frozenset({"OTP", "LINK", "LINK_OTP"}),
    "factor": frozenset({"totp", "sms"}),
    "role": frozenset({"view", "support", "admin"}),
    "webhook_reason": frozenset({"failing", "gone"}),
}
"""The variables that an `if` may compare, and what they can be."""

MOST_NODES: Final = 2000
MOST_DEPTH: Final = 10
"""How deep `if` may stand within `if`, and how many `elif` it may have."""

PLACEHOLDERS: Final = "\U000f0000-\U0010ffff"
"""Planes 15 and 16, where no characters are: the places of variables while text is read."""

_UNSEEN = re.compile(
    rf"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f{LINE_ENDS}{BIDI}"
    rf"\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff{PLACEHOLDERS}]"
)


def read_template(text: str, variables: Collection[str]) -> Nodes:
    """Return what a template consists of.

    Args:
        text: as it was typed.
        variables: those that it may name.

    Raises:
        Refused: it holds something else, or does not parse.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    check_characters(text, 1)
    found = _Reader(variables).read(_parse(text).body, 0)
    if sum(1 for _ in walk(found)) > MOST_NODES:
        raise Refused(1, Text("This has too many variables and ifs: %(n)s at most.", n=MOST_NODES))
    return found


def check_characters(text: str, line: int) -> None:
    """Refuse characters that no reader sees, or that show text in another order.

    Raises:
        Refused: there is one.
    """
    found = _UNSEEN.search(text)
    if found is not None:
        line += text.count("\n", 0, found.start())
        name = f"U+{ord(found[0]):04X}"
        raise Refused(line, Text("Take out the invisible character %(name)s.", name=name))


def _parse(text: str) -> jinja.Template:
    """Return Jinja2's parse tree; nothing of it is evaluated."""
    from jinja2 import Environment, TemplateSyntaxError  # with the first template
    from jinja2.parser import Parser

    # It makes a parser only; autoescaping is that of `nodes.fill`.
    env = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)  # noqa: S701
    try:
        return Parser(env, text).parse()
    except TemplateSyntaxError as error:
        message = Text("This does not parse: %(message)s", message=error.message or "")
        raise Refused(error.lineno, message) from None
    except RecursionError:
        raise Refused(1, Text("This is nested too deep.")) from None
    except ValueError:  # a number of thousands of digits
        raise Refused(1, _ONLY) from None


class _Reader:
    """Turn Jinja2's tree into ours, or refuse it."""

    def __init__(self, variables: Collection[str]) -> None:
        self._variables = variables

    def read(self, body: list[jinja.Node], depth: int) -> Nodes:
        from jinja2 import nodes as jinja

        found: list[Node] = []
        for node in body:
            if type(node) is jinja.Output:
                found += [self._output(part) for part in node.nodes]
            elif type(node) is jinja.If:
                found.append(self._choice(node, depth))
            else:
                raise _refuse_node(node)
        return tuple(found)

    def _output(self, node: jinja.Node) -> Node:
        from jinja2 import nodes as jinja

        if type(node) is jinja.TemplateData:
            return Literal(node.data, node.lineno)
        return Variable(self._name(node), node.lineno)

    def _choice(self, node: jinja.If, depth: int) -> Choice:
        if depth >= MOST_DEPTH or len(node.elif_) > MOST_DEPTH:
            raise Refused(node.lineno, Text("This is nested too deep."))
        otherwise = self.read(node.else_, depth + 1)
        for other in reversed(node.elif_):
            otherwise = (
                Choice(
                    self._test(other.test, 0),
                    self.read(other.body, depth + 1),
                    otherwise,
                    other.lineno,
                ),
            )
        test = self._test(node.test, 0)
        return Choice(test, self.read(node.body, depth + 1), otherwise, node.lineno)

    def _name(self, node: jinja.Node) -> str:
        """Return the variable that an expression is: a name, or one of the names with a dot."""
        from jinja2 import nodes as jinja

        parts: list[str] = []
        inner = node
        while type(inner) is jinja.Getattr:
            parts.insert(0, inner.attr)
            inner = inner.node
        if type(inner) is not jinja.Name:
            raise _refuse_node(node)
        name = ".".join((inner.name, *parts))
        if name not in self._variables:
            raise Refused(node.lineno, Text("There is no variable %(name)s here.", name=name[:60]))
        return name

    def _test(self, node: jinja.Node, depth: int) -> Test:
        from jinja2 import nodes as jinja

        if depth > MOST_DEPTH:
            raise Refused(node.lineno, Text("This is nested too deep."))
        if type(node) is jinja.Not:
            return Test("not", parts=(self._test(node.node, depth + 1),))
        if type(node) is jinja.And or type(node) is jinja.Or:
            parts = (self._test(node.left, depth + 1), self._test(node.right, depth + 1))
            return Test("and" if type(node) is jinja.And else "or", parts=parts)
        if type(node) is jinja.Compare:
            return self._comparison(node)
        return Test("is", self._name(node))

    def _comparison(self, node: jinja.Compare) -> Test:
        from jinja2 import nodes as jinja

        name = self._name(node.expr)
        other = node.ops[0]
        value = other.expr.value if type(other.expr) is jinja.Const else None
        if len(node.ops) != 1 or other.op not in ("eq", "ne") or not isinstance(value, str):
            raise Refused(node.lineno, Text("Compare by == or !=, one variable with one text."))
        admitted = COMPARED.get(name)
        if admitted is None:
            names = ", ".join(sorted(COMPARED))
            raise Refused(
                node.lineno,
                Text(
                    "An if may not compare %(name)s: that would tell what it is. It may ask "
                    "whether there is one, and compare %(names)s.",
                    name=name,
                    names=names,
                ),
            )
        if value not in admitted:
            raise Refused(
                node.lineno,
                Text(
                    "%(name)s is never that; it is one of %(values)s.",
                    name=name,
                    values=", ".join(sorted(admitted)),
                ),
            )
        test = Test("equals", name, value)
        return test if other.op == "eq" else Test("not", parts=(test,))


def _refuse_node(node: jinja.Node) -> Refused:
    what = _NAMES.get(type(node).__name__)
    line = node.lineno
    if line is None:  # the parser has made it of what stands within
        line = next((inner.lineno for inner in node.iter_child_nodes() if inner.lineno), 1)
    if what is None:
        return Refused(line, _ONLY)
    return Refused(
        line,
        Text("A template cannot hold %(what)s: only text, variables and if.", what=what),
    )


_ONLY: Final = Text("A template can hold only text, variables and if.")
_NAMES: Final[Mapping[str, Text]] = {
    "Filter": Text("a filter"),
    "Call": Text("a call"),
    "Getitem": Text("a part of a variable"),
    "For": Text("a loop"),
    "Assign": Text("an assignment"),
    "AssignBlock": Text("an assignment"),
    "Include": Text("another template"),
    "Import": Text("another template"),
    "FromImport": Text("another template"),
    "Extends": Text("another template"),
    "Macro": Text("a macro"),
    "CallBlock": Text("a macro"),
    "Block": Text("a block"),
    "FilterBlock": Text("a filter"),
    "Test": Text("a test"),
    "Const": Text("a value"),
}
