"""What an author of a feature imports, and that it is enough."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, kit
from tests.guide import TEXT
from tests.support import make_site

TESTS = Path(__file__).parent
PROMISED = {
    "AccountPage", "Account", "Address", "AfterLogin", "Alternative", "ApiError", "Authentication",
    "BeforeChallenge",
    "BeforeSession", "Caller", "ChallengeContext", "ConfigError", "DashboardPage",
    "Decrypted", "Delivery",
    "DeliveryError",
    "EnrolledUser", "Event", "EventKind", "Feature", "FeatureSecrets", "Field", "Fields",
    "Finding",
    "Handler", "HealthCheck",
    "InvalidArgument", "InvalidCode", "Kit", "Lifespan", "LiveSettings", "Login", "LoginDenied",
    "LoginMethod",
    "LoginResult", "Message", "Mounted", "NotFound", "OnSession", "Operation", "Operator",
    "Outcome", "Part",
    "PendingLogin", "Periodic", "Policy",
    "PersonPart", "ShownPerson", "find_person", "require_person",
    "Proof", "QueuedJob", "ReadJob", "Record", "Records", "Redirect",
    "Request", "RequestExpired", "Response", "Route", "Session", "SessionPolicy", "Setting", "Step",
    "StepAction", "StepCheck", "StepMethod", "StepPart", "StepProof", "StepSubject",
    "StepUpMethod", "StepUpRequired", "Strength", "Text", "TextMessage", "TextSender",
    "TooManyAttempts", "Unauthenticated", "Unavailable",
    "User", "UserId", "Values", "Verdict", "WithSession", "Writes",
    "json_response", "open_hint", "parse_address",
    "read_form", "read_json", "respond_with_json", "respond_with_page", "translate",
    "with_cookies",
}  # fmt: skip
ALONE = [TESTS / "security" / "factor.py", *sorted((TESTS / "features" / "trial").glob("[!t]*.py"))]
"""Features that are written with these names alone."""


def test_all_is_what_is_promised_and_is_there() -> None:
    assert set(kit.__all__) == PROMISED
    for name in kit.__all__:
        assert getattr(kit, name) is not None
    assert set(kit.__all__) <= set(dir(kit))
    with pytest.raises(AttributeError, match="no attribute 'Keyring'"):
        kit.Keyring  # type: ignore[attr-defined]  # noqa: B018


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys, pwless_middleware.kit\n"
        "print([n for n in ('starlette', 'redis', 'jinja2') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == []


@pytest.mark.parametrize("file", ALONE, ids=lambda file: file.name)
def test_a_feature_is_written_with_these_names_alone(file: Path) -> None:
    modules = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    outside = {m for m in modules if m.split(".")[0] not in sys.stdlib_module_names}
    assert outside <= {"pwless_middleware", "pwless_middleware.kit"}


def test_the_guide_explains_every_field_of_what_is_mounted() -> None:
    table = TEXT.split("<!-- mounted -->")[1].split("\n\n")[0]
    names = re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in table.splitlines()[1:]))
    assert sorted(names) == sorted(field.name for field in dataclasses.fields(kit.Mounted))


def example() -> str:
    """Return the feature in the docstring."""
    lines = (inspect.getdoc(kit) or "").splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("    class "))
    end = next(n for n, line in enumerate(lines) if line.startswith("    Passwordless("))
    return textwrap.dedent("\n".join(lines[begin:end])).strip()


@pytest.mark.anyio
async def test_the_example_is_a_whole_feature_in_25_lines() -> None:
    source = example()
    assert len(source.splitlines()) <= 25
    names: dict[str, Any] = {name: getattr(kit, name) for name in kit.__all__}
    exec(source, names)
    site = make_site(features=[EmailLogin(), names["Terms"]()])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert await jo.who() is None
    assert "I accept the terms" in (await jo.get("/auth/step/terms")).text
    assert (await jo.post("/auth/step/terms", {})).status_code == 303
    assert await jo.who() == "jo@example.com"
