"""The pages that are made from the code tell of the code as it is."""

from __future__ import annotations

import re

import pytest

from demo_app.guide_site import site
from tests.guide import PAGES
from tests.reference.pages import GENERATED


@pytest.mark.parametrize("name", GENERATED)
def test_a_page_is_as_the_code_is(name: str) -> None:
    made = GENERATED[name]()
    assert made == PAGES.get(name), f"{name}.md is of yesterday: python -m tests.guide"
    assert not re.search(r"/(?:tmp|home|opt|root)/|0x[0-9a-f]{6}", made)  # nothing of a machine


def test_the_search_knows_which_pages_list_everything() -> None:
    assert set(GENERATED) == site.GENERATED
