"""Make the README's pictures from the real pages: `python -m tests.browser.screenshot`.

`login` or `dashboard` behind it makes one of the two alone.
"""

from __future__ import annotations

import asyncio
import base64
import re
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import ViewportSize

import demo_app
from demo_app.app import OPERATOR, create_app
from demo_app.sample_data import Clock, SampleMailer, make_sample_data
from pwless_middleware import PasswordlessMiddleware
from pwless_middleware.delivery.base import Message
from tests.browser.conftest import SECRET_KEY
from tests.chromium import chromium
from tests.live import served

FOLDER = Path(demo_app.__file__).parent / "static"
SIZE: ViewportSize = {"width": 400, "height": 545}
DASHBOARD_SIZE: ViewportSize = {"width": 1280, "height": 800}
EMAIL = "jo@example.com"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "light", "dark")


class Letterbox:
    """Keep the newest code. Not an `Outbox`, so that the pages look as they do in production."""

    delivers_inline = True
    code = ""

    async def send(self, message: Message) -> None:
        """Read the code from the text."""
        found = re.search(r"^\s*(\d{6})\s*$", message.text, re.MULTILINE)
        self.code = found[1] if found else ""


def photograph_login() -> None:
    """Photograph three pages and lay them side by side."""
    mailer = Letterbox()
    with (
        served(lambda url: create_app(secret_key=SECRET_KEY, base_url=url, mailer=mailer)) as url,
        chromium() as browser,
    ):
        page = browser.new_page(base_url=url, viewport=SIZE, device_scale_factor=1.5)
        shots = []
        for step, scheme in enumerate(SCHEMES):
            page.emulate_media(color_scheme=scheme)
            if step == 0:
                page.goto("/auth/login")
            elif step == 1:
                page.fill("#email", EMAIL)
                page.press("#email", "Enter")
                page.wait_for_url("**/auth/verify")
            else:
                page.fill("#code", mailer.code)
                page.wait_for_url(f"{url}/")
                page.goto("/auth/sessions")
            shots.append(base64.b64encode(page.screenshot()).decode())
        images = "".join(f'<img src="data:image/png;base64,{shot}">' for shot in shots)
        board = browser.new_page(viewport={"width": 1304, "height": 593}, device_scale_factor=1)
        board.set_content(
            "<style>body{margin:0;display:flex;gap:24px;padding:24px;background:#e3e8e6}"
            f"img{{width:402px;border-radius:14px;display:block}}</style>{images}"
        )
        board.wait_for_timeout(200)
        board.screenshot(path=FOLDER / "screenshot.png")


def photograph_dashboard() -> None:
    """Photograph the overview of the sample data."""
    letterbox = Letterbox()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/sample.db"

        def make_app(clock: Clock, mailer: SampleMailer) -> PasswordlessMiddleware:
            return create_app(secret_key=SECRET_KEY, mailer=mailer, database=database, clock=clock)

        def make_demo(url: str) -> PasswordlessMiddleware:
            return create_app(
                secret_key=SECRET_KEY, base_url=url, mailer=letterbox, database=database
            )

        asyncio.run(make_sample_data(make_app, base_url="http://localhost:8000"))
        with served(make_demo) as url, chromium() as browser:
            page = browser.new_page(base_url=url, viewport=DASHBOARD_SIZE, color_scheme="light")
            page.goto("/auth/login")
            page.fill("#email", OPERATOR)
            page.press("#email", "Enter")
            page.wait_for_url("**/auth/verify")
            page.fill("#code", letterbox.code)
            page.wait_for_url(f"{url}/")
            page.goto("/auth/dashboard/overview?range=month")
            page.screenshot(path=FOLDER / "dashboard.png")


PICTURES = {"login": photograph_login, "dashboard": photograph_dashboard}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
