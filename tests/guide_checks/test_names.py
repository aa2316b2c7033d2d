"""What the guide names is there: routes, events, settings, metrics, error codes, variables."""

from __future__ import annotations

import re
from functools import cache

import pytest

from pwless_middleware import Passwordless
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.path_table import PathTable
from pwless_middleware.web.routing.routes import Route
from tests.guide import ROOT
from tests.guide_checks.reading import inline_code
from tests.reference.operations import make_app
from tests.test_readme import api_errors

OF_OTHERS = {"/auth/callback", "BOKEH_SECRET_KEY", "MLFLOW_TRACKING_TOKEN", "SOLARA_APP"}
"""What is named in our shape and is somebody else's: an app's own path, settings of tools."""
CODE = ("pwless_middleware", "demo_app", "tests")


@pytest.fixture(scope="module")
def everything() -> Passwordless:
    """Return what serves an app with everything on; nothing of it is started."""
    return make_app("sqlite:///never-opened.db").passwordless


@cache
def words() -> frozenset[str]:
    """Return every word of the code, but of these checks."""
    found: set[str] = set()
    for folder in CODE:
        for file in (ROOT / folder).rglob("*"):
            is_text = file.suffix in (".py", ".js", ".html", ".txt", ".lua", ".sh")
            if is_text and "guide_checks" not in file.parts:
                found.update(re.findall(r"\w+", file.read_text("utf-8")))
    return frozenset(found)


def test_a_route_that_is_named_is_one(everything: Passwordless) -> None:
    table: PathTable[Route] = PathTable()
    for route in everything.routes.all:
        table.add(route.path, route, owner="pwless")
    wrong = []
    seen = 0
    pattern = r"(?:(GET|POST|PUT|PATCH|DELETE) )?/auth(/[^\s?#]*)(?:\?\S*)?"
    for code, pages in inline_code().items():
        found = re.fullmatch(pattern, code)
        if found is None or found[2].endswith(("/", "…", "/*")) or code in OF_OTHERS:
            continue
        seen += 1
        path = re.sub(r"\{\w+\}|(?<=/)[A-Z_]{2,}\b|[\w.-]*…", "x", found[2])
        match = table.find(path)
        if match is None or (found[1] and found[1] not in match[0].methods):
            wrong.append(f"{sorted(pages)}: `{code}`")
    assert wrong == []
    assert seen > 25


def test_an_event_or_setting_that_is_named_is_one(everything: Passwordless) -> None:
    groups = everything.settings._current.groups.values()
    known = {*KINDS, *(f"{group.name}.{name}" for group in groups for name in group.settings)}
    assert {"session.created", "sessions.idle"} <= known
    begins = {name.split(".")[0] for name in known}
    for file in (ROOT / "pwless_middleware").rglob("*.py"):  # the events of features
        known.update(re.findall(r'"([a-z_]+\.[a-z_]+)"', file.read_text("utf-8")))
    wrong = []
    for code, pages in inline_code().items():
        if not re.fullmatch(r"[a-z_]+(?:\.[a-z_]+)+", code) or code.endswith(".html"):
            continue
        first, _, last = code.partition(".")
        is_attribute = first in ATTRIBUTES and last in words()
        if first in begins and code not in known and not is_attribute:
            wrong.append(f"{sorted(pages)}: `{code}`")
    assert wrong == []


ATTRIBUTES = {"session", "sessions", "user", "event", "person", "challenge", "step", "operator"}
"""Begin events, and name objects of Python as well."""


def test_an_error_code_a_variable_or_a_metric_that_is_named_is_in_the_code() -> None:
    codes = {kind.code for kind in api_errors()}
    wrong = []
    assert codes <= set(inline_code())
    for code, pages in inline_code().items():
        of_others = all(page.startswith("moving-from") for page in pages)
        if re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", code) and not of_others:
            is_known = code in codes or code in words() or code in OF_OTHERS
        elif re.fullmatch(r"pwless_[a-z_]+", code) and not code.endswith("_"):
            is_known = code in words() or code.removesuffix("_total") in words()
        else:
            continue
        wrong += [] if is_known else [f"{sorted(pages)}: `{code}`"]
    assert wrong == []
