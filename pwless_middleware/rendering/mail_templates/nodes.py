"""What a template consists of once it was read: text, variables, and choices among both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pwless_middleware.core.dataclass import dataclass


class Refused(Exception):
    """A template holds what the language does not have.

    Attributes:
        line: where, from 1.
        reason: what, and what to write instead; holds no value of a variable.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands in the mail as it is.

    Attributes:
        text: the text.
        line: where it begins.
    """

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Variable:
    """The place of a value.

    Attributes:
        name: `code`, `brand.name`.
        line: where it stands.
    """

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Test:
    """What a choice asks: of one variable whether there is something in it, or what stands in it.

    Attributes:
        operator: `is`, `equals`, `not`, `and` or `or`.
        name: the variable, of the first two.
        value: what it has to be, of `equals`.
        parts: what it is made of, of the last three.
    """

    operator: str
    name: str = ""
    value: str = ""
    parts: tuple[Test, ...] = ()

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether it holds.

        Raises:
            KeyError: there is no such variable.
        """
        if self.operator == "is":
            return bool(values[self.name])
        if self.operator == "equals":
            return values[self.name] == self.value
        if self.operator == "not":
            return not self.parts[0].holds(values)
        held = (part.holds(values) for part in self.parts)
        return all(held) if self.operator == "and" else any(held)

    def names(self) -> Iterator[str]:
        """Return the variables that it asks about."""
        if self.name:
            yield self.name
        for part in self.parts:
            yield from part.names()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of two texts.

    Attributes:
        test: decides which.
        then: where it holds.
        otherwise: where it does not.
        line: where it stands.
    """

    test: Test
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    line: int


Node = Literal | Variable | Choice
Nodes = tuple[Node, ...]


def fill(nodes: Nodes, values: Mapping[str, object], escape: Callable[[str], str]) -> str:
    """Return the text with its values, each of them escaped.

    Raises:
        KeyError: there is no such variable.
    """
    written: list[str] = []
    _fill(nodes, values, escape, written)
    return "".join(written)


def _fill(
    nodes: Nodes, values: Mapping[str, object], escape: Callable[[str], str], to: list[str]
) -> None:
    for node in nodes:
        if isinstance(node, Literal):
            to.append(node.text)
        elif isinstance(node, Variable):
            value = values[node.name]
            to.append("" if value is None else escape(str(value)))
        else:
            _fill(node.then if node.test.holds(values) else node.otherwise, values, escape, to)


def walk(nodes: Nodes) -> Iterator[Node]:
    """Return every node, also those within choices."""
    for node in nodes:
        yield node
        if isinstance(node, Choice):
            yield from walk(node.then)
            yield from walk(node.otherwise)


def names_in(nodes: Nodes) -> frozenset[str]:
    """Return the variables that are shown; what a choice only asks about is none of them."""
    return frozenset(node.name for node in walk(nodes) if isinstance(node, Variable))
