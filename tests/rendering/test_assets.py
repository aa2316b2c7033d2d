"""The static files: named after their content, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pwless_middleware.core.colors import Palette
from pwless_middleware.rendering.assets import Asset, Assets
from tests.rendering.test_renderer import LOGIN, OUTBOX, render, renderer

PALETTE = Palette.of("#3d4ed8")

FRAME = {
    "navigation": [],
    "current_path": "",
    "operator_email": "ops@acme.example",
    "banners": [],
    "role": "view",
    "may_support": False,
    "may_admin": False,
    "notice": None,
    "problem": None,
}
"""What every page of the dashboard is given."""

SETUP = {
    "scripts": ["setup.js"],
    "organization_name": "Acme",
    "steps": [],
    "problem": None,
    "tested_at": "",
    "connection_id": "conn_1",
    "next_path": "",
}


def assets(color: str = "#3d4ed8") -> Mapping[str, Asset]:
    return Assets(Palette.of(color)).by_hashed_name


def test_assets_are_named_after_their_content() -> None:
    plain, red = assets(), assets("#b00020")
    assert {asset.name for asset in plain.values()} == {
        "brand.css",
        "dashboard.css",
        "dashboard.js",
        "mailbox.js",
        "passkeys.js",
        "pwless.css",
        "pwless.js",
        "recovery_codes.js",
        "setup.css",
        "setup.js",
    }
    for name, asset in plain.items():
        stem, ending = asset.name.split(".")
        assert re.fullmatch(rf"{stem}\.[0-9a-f]{{8}}\.{ending}", name)
        assert asset.hashed_name == name
        kind = "text/css" if ending == "css" else "text/javascript"
        assert asset.media_type == f"{kind}; charset=utf-8"
    changed = {asset.name for name, asset in plain.items() if name not in red}
    assert changed == {"brand.css"}
    assert b"--accent:#b00020" in next(a for a in red.values() if a.name == "brand.css").content


def test_every_asset_that_a_page_asks_for_is_there() -> None:
    made = renderer()
    login = LOGIN | {"scripts": ["passkeys.js", "recovery_codes.js"]}
    pages = render(made, "login.html", login) + made.page("outbox.html", **OUTBOX)
    pages += render(made, "dashboard/base.html", FRAME)
    pages += render(made, "sso/setup/test.html", SETUP)
    used = re.findall(r"/auth/static/([^\"]+)", pages)
    assert sorted(set(used)) == sorted(made.assets.by_hashed_name)


def test_a_hash_of_another_version_finds_the_file_of_ours() -> None:
    made = Assets(PALETTE)
    sheet = made.by_name["pwless.css"]
    assert made.other_version("pwless.00000000.css") == sheet
    assert made.other_version(sheet.hashed_name) == sheet
    for name in ("pwless.css", "pwless.0.css", "pwless.0000000g.css", "x.00000000.css", "", "..."):
        assert made.other_version(name) is None


def test_styles_and_scripts_need_no_other_origin() -> None:
    for asset in assets().values():
        text = asset.content.decode().replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "@import" not in text


def test_every_rule_of_a_style_sheet_is_closed() -> None:
    """What stands behind one that is not holds nowhere, and no browser says so."""
    for name, asset in assets().items():
        if name.endswith(".css"):
            depth = 0
            text = re.sub(r"/\*.*?\*/", "", asset.content.decode(), flags=re.DOTALL)
            for line in text.splitlines():
                depth += line.count("{") - line.count("}")
                assert 0 <= depth <= 2, f"{name}: {line}"
            assert depth == 0, name
