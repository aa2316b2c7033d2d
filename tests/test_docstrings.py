"""Docstrings are true: what they name exists, and what exists they name."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

import pwless_middleware
from pwless_middleware import errors
from pwless_middleware.cli import importing
from pwless_middleware.delivery import base

PACKAGE = Path(pwless_middleware.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True)
class Documented:
    """A class or function of the package, and what its docstring says of it."""

    name: str
    module: str
    node: Definition
    parent: ast.AST
    is_public: bool

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.node) or ""

    def section(self, title: str) -> list[str]:
        """Return the names that a section explains, in order."""
        _, found, rest = self.doc.partition(f"{title}:\n")
        if not found:
            return []
        text = re.split(r"\n(?=\S)", rest, maxsplit=1)[0]
        heads = re.findall(r"^ {4}(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*):(?: |$)", text, re.MULTILINE)
        assert heads, f"{self.name}: {title} explains nothing"
        return [name.strip(" *") for head in heads for name in head.split(",")]

    @property
    def parameters(self) -> list[str]:
        """Return what is passed in: a class's `__init__`, or a record's fields."""
        node: ast.AST = self.node
        if isinstance(node, ast.ClassDef):
            made_by = [n for n in node.body if isinstance(n, Function) and n.name == "__init__"]
            if not made_by:
                return self.fields or self.inherited
            node = made_by[0]
        assert isinstance(node, Function)
        given = node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        return [a.arg for a in every if a is not None and a.arg not in ("self", "cls")]

    @property
    def inherited(self) -> list[str]:
        """Return the parameters of a class that another one makes."""
        kind = getattr(import_module(self.module), self.name, None)
        make = getattr(kind, "__init__", None)
        return list(inspect.signature(make).parameters)[1:] if inspect.isfunction(make) else []

    @property
    def fields(self) -> list[str]:
        assert isinstance(self.node, ast.ClassDef)
        return [
            n.target.id
            for n in self.node.body
            if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
        ]

    @property
    def members(self) -> set[str]:
        """Return every attribute that the class has or sets."""
        return {
            *self.fields,
            *(n.name for n in ast.walk(self.node) if isinstance(n, Function)),
            *(
                n.attr
                for n in ast.walk(self.node)
                if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
            ),
        }


def definitions(file: Path) -> Iterator[Documented]:
    """Return the classes, functions and methods of a module; not what stands inside a function."""

    module = ".".join(("pwless_middleware", *file.relative_to(PACKAGE).with_suffix("").parts))

    def below(parent: ast.AST, prefix: str, is_public: bool) -> Iterator[Documented]:
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, Definition):
                public = is_public and not node.name.startswith("_")
                yield Documented(f"{prefix}{node.name}", module, node, parent, public)
                if isinstance(node, ast.ClassDef):
                    yield from below(node, f"{prefix}{node.name}.", public)
            elif isinstance(node, ast.If | ast.Try):
                yield from below(node, prefix, is_public)

    return below(ast.parse(file.read_text()), "", True)


@functools.cache  # not at import: each process of a parallel run imports this, and one runs it
def every() -> dict[str, Documented]:
    """Return every class and function of the package."""
    return {
        f"{file.relative_to(PACKAGE).with_suffix('')}:{found.name}": found
        for file in FILES
        for found in definitions(file)
    }


def overrides(found: Documented) -> bool:
    """Whether a method fills in what an error's class above it explains."""
    if not isinstance(found.parent, ast.ClassDef):
        return False
    above = getattr(errors, found.parent.name, object).__mro__[1:]
    return any(found.node.name in vars(kind) for kind in above)


def test_every_module_says_what_is_in_it() -> None:
    silent = [file for file in FILES if not ast.get_docstring(ast.parse(file.read_text()))]
    assert silent == []


def test_everything_public_says_what_it_is_for() -> None:
    silent = [
        name
        for name, found in every().items()
        if found.is_public and not found.doc and not overrides(found)
    ]
    assert silent == []


def test_what_returns_something_says_so_and_what_does_not_does_not() -> None:
    """ "Return …" for a value, "Return when/if/once …" for a wait, "Whether …" for a claim."""
    wrong = []
    for name, found in every().items():
        if isinstance(found.node, Function) and found.doc:
            first, returns = found.doc.split()[0], found.node.returns
            kind = "None" if returns is None else ast.unparse(returns)
            if first == "Return" and found.doc.split()[1] not in ("when", "if", "once"):
                wrong += [name] if kind == "None" else []
            elif first == "Whether":
                wrong += [name] if not re.search("bool|TypeGuard|TypeIs", kind) else []
    assert wrong == []


def test_the_arguments_that_are_explained_are_the_ones_there_are() -> None:
    wrong = {}
    for name, found in every().items():
        told = set(found.section("Args"))
        if told and isinstance(found.node, ast.ClassDef):
            told |= set(found.section("Attributes")) & set(found.parameters)
        if told and (other := told ^ {n for n in found.parameters if not n.startswith("_")}):
            wrong[name] = other
    assert wrong == {}


def test_the_attributes_that_are_explained_are_there() -> None:
    wrong = {}
    for name, found in every().items():
        told = set(found.section("Attributes"))
        other = told - found.members if told else set()
        if told and not found.section("Args"):  # a record: all of its fields
            other |= {n for n in found.fields if not n.startswith("_")} - told
        if other:
            wrong[name] = other
    assert wrong == {}


def test_the_errors_that_are_named_exist() -> None:
    unknown = []
    for name, found in every().items():
        module = import_module(found.module)
        for told in found.section("Raises"):
            above, _, error = told.rpartition(".")
            known = [module, errors, base, importing, builtins]
            places = [import_module(above)] if above else known
            kind = next((vars(place)[error] for place in places if error in vars(place)), None)
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                unknown.append((name, told))
    assert unknown == []


@pytest.mark.parametrize("name", sorted(pwless_middleware.__all__))
def test_whoever_calls_a_public_name_finds_each_argument_explained(name: str) -> None:
    thing = getattr(pwless_middleware, name)
    home = import_module(thing.__module__)
    found = next(f for f in definitions(Path(str(home.__file__))) if f.name == name)
    told = found.section("Args") + found.section("Attributes")
    if not getattr(thing, "_is_protocol", False):
        assert [n for n in found.parameters if n not in told and not n.startswith("_")] == []


# --- names ---------------------------------------------------------------------------------------


def test_no_function_is_named_by_a_participle_alone() -> None:
    """`fold_mailbox` says that something happens; `folded` reads like a value."""
    wrong = []
    for name, found in every().items():
        if isinstance(found.node, Function) and not found.node.decorator_list:
            word = found.node.name.strip("_")
            is_claim = ast.unparse(found.node.returns or ast.Constant(None)) == "bool"
            if re.fullmatch(r"[a-z]{2,}ed|seen|held|known|told|sent|taken|gone", word):
                wrong += [] if is_claim or word in ("embed", "feed", "need") else [name]
    assert wrong == []
