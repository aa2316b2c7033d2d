"""SQL is constant text (security rule 71): read from the code, whatever one run may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pwless_middleware

PACKAGE = Path(pwless_middleware.__file__).parent


def statements(tree: ast.AST) -> Iterator[ast.Call]:
    """Return the calls that make a statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Statement":
            yield node


def is_constant(node: ast.expr) -> bool:
    """Whether an expression is a text that stands in the code as it is."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def variable_statements(text: str) -> list[int]:
    """Return the lines of the statements whose text is put together."""
    return [
        call.lineno
        for call in statements(ast.parse(text))
        if not all(map(is_constant, (*call.args, *(keyword.value for keyword in call.keywords))))
    ]


@pytest.mark.parametrize(
    "text",
    [
        'Statement(f"SELECT {name}")',
        'Statement("SELECT " + name)',
        'Statement("SELECT %s" % name)',
        'Statement("SELECT {}".format(name))',
        'Statement("SELECT 1", postgres=name)',
    ],
)
def test_a_text_that_is_put_together_is_seen(text: str) -> None:
    assert variable_statements(text) == [1]
    assert variable_statements('Statement("SELECT 1 " "AS one")') == []


def test_every_statement_is_constant_text() -> None:
    found = 0
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert variable_statements(text) == [], path
        found += sum(1 for _ in statements(ast.parse(text)))
    assert found
