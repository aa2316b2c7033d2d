"""SQL is constant text (security rule 71): read from the code, whatever one run may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pwless_middleware

PACKAGE = Path(pwless_middleware.__file__).parent
DRIVER_CALLS = (
    "execute",
    "executemany",
    "executescript",
    "fetch",
    "fetchrow",
    "fetchval",
    "prepare",
)
"""Methods of sqlite3 and asyncpg that take SQL first."""


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


def is_put_together(node: ast.expr) -> bool:
    """Whether an expression makes a text of parts; of a call by name (`FIND(id)`) nothing is."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return False
    return any(
        isinstance(part, ast.JoinedStr | ast.BinOp)
        or (isinstance(part, ast.Attribute) and part.attr in ("format", "join", "replace"))
        for part in ast.walk(node)
    )


def variable_calls(text: str) -> list[int]:
    """Return the lines that hand a driver a text that is put together, past any statement."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in DRIVER_CALLS
        and any(map(is_put_together, node.args[:1]))
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


@pytest.mark.parametrize(
    "text",
    [
        'connection.execute(f"PRAGMA synchronous={mode}")',
        'connection.executescript("DROP TABLE " + name)',
        'await connection.fetch("SELECT %s" % name)',
        'await connection.fetchval("SELECT {}".format(name))',
        'connection.execute(" ".join(parts))',
    ],
)
def test_a_text_that_is_put_together_for_a_driver_is_seen(text: str) -> None:
    assert variable_calls(text) == [1]
    assert variable_calls('connection.execute("BEGIN" if is_alone else statement.sqlite)') == []
    assert variable_calls('database.fetch(FIND(prefix + "~"))') == []


def test_every_statement_is_constant_text() -> None:
    found = 0
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        if not any(name in text for name in ("Statement", *DRIVER_CALLS)):
            continue  # parsing takes most of the time
        assert variable_statements(text) == variable_calls(text) == [], path
        found += sum(1 for _ in statements(ast.parse(text)))
    assert found
