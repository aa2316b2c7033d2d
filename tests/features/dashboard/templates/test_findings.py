"""What `pwless check` and the overview are told of templates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pwless_middleware.core.operators.mail_template import MailTemplate
from pwless_middleware.features.dashboard.templates.chosen import Chosen
from pwless_middleware.features.dashboard.templates.findings import TemplateFindings
from tests.features.dashboard.operators import make_dashboard
from tests.features.dashboard.templates.test_edit_page import save

pytestmark = pytest.mark.anyio


async def test_a_template_that_cannot_be_used_any_more_is_found(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    kit = site.passwordless._kit
    findings = TemplateFindings(Chosen(kit))
    assert await findings.find(may_ask=True) == []
    await save(ops)
    [good] = await findings.find(may_ask=True)
    assert good.level == "ok"
    assert await findings.find(may_ask=False) == []
    assert kit.repositories is not None
    first = await kit.repositories.mail_templates.find("signin", "en", 1)
    assert first is not None
    bad = MailTemplate(version=replace(first.version, version=2), text="x", html="<script>")
    assert await kit.repositories.mail_templates.add(bad)
    [found] = await findings.find(may_ask=True)
    assert found.level == "warn"
    assert "the template signin (en) cannot be used" in found.message
