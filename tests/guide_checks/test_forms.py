"""The forms in `.github` are ones that GitHub takes: else they are silently not shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.guide import ROOT

FOLDER = ROOT / ".github"
FORMS = sorted(file for file in (FOLDER / "ISSUE_TEMPLATE").glob("*.yml") if file.stem != "config")
ATTRIBUTES = {
    "checkboxes": {"label", "description", "options"},
    "dropdown": {"label", "description", "multiple", "options", "default"},
    "input": {"label", "description", "placeholder", "value"},
    "markdown": {"value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
}
"""GitHub Docs, "Syntax for GitHub's form schema"."""


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.stem)
def test_a_form_is_one_that_github_takes(file: Path) -> None:
    form: dict[str, Any] = yaml.safe_load(file.read_text())
    assert {"name", "description", "body"} <= set(form)
    assert set(form) <= {
        "name",
        "description",
        "body",
        "title",
        "labels",
        "assignees",
        "projects",
        "type",
    }
    assert all(isinstance(label, str) for label in form["labels"])
    seen: list[str] = []
    for element in form["body"]:
        kind, attributes = element["type"], element["attributes"]
        assert set(element) <= {"type", "id", "attributes", "validations"}
        assert set(attributes) <= ATTRIBUTES[kind]
        assert set(element.get("validations", {})) <= {"required"}
        if kind == "markdown":
            assert attributes["value"]
            continue
        assert attributes["label"]
        assert re.fullmatch(r"[\w-]+", element["id"])
        seen += [element["id"], attributes["label"]]
        if kind == "dropdown":
            assert len(set(attributes["options"])) == len(attributes["options"]) > 1
            assert "none" not in map(str.lower, attributes["options"])  # GitHub's own word
        elif kind == "checkboxes":
            for option in attributes["options"]:
                assert {"label"} <= set(option) <= {"label", "required"}
        elif kind == "textarea" and "render" in attributes:
            assert "value" not in attributes or "```" not in attributes["value"]
    assert len(set(seen)) == len(seen)


def test_the_forms_are_the_three_that_the_contributing_page_names() -> None:
    assert [file.stem for file in FORMS] == ["bug", "feature", "language"]
    config = yaml.safe_load((FOLDER / "ISSUE_TEMPLATE" / "config.yml").read_text())
    assert set(config) <= {"blank_issues_enabled", "contact_links"}
    names = [yaml.safe_load(file.read_text())["name"] for file in FORMS]
    assert len(set(names)) == 3


def test_nobody_is_sent_to_an_address_that_is_not_there() -> None:
    for file in FOLDER.rglob("*.*"):
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+|mailto:", file.read_text()), file


def test_a_vulnerability_is_reported_in_private() -> None:
    (policy,) = FOLDER.glob("SEC*.md")
    assert "Report a vulnerability" in policy.read_text()
    assert f"({policy.name})" in (FOLDER / "CONTRIBUTING.md").read_text()
