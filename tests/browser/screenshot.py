"""Make the README's picture from the real pages: `python -m tests.browser.screenshot`."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Literal

from playwright.sync_api import ViewportSize

import demo_app
from demo_app.app import create_app
from pwless_middleware.delivery.base import Message
from tests.browser.conftest import SECRET_KEY
from tests.chromium import chromium
from tests.live import served

PICTURE = Path(demo_app.__file__).parent / "static" / "screenshot.png"
SIZE: ViewportSize = {"width": 400, "height": 545}
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


def main() -> None:
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
        board.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
