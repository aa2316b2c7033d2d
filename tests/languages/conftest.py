"""The pseudo-languages, as a host's own folder of templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.languages.pseudo import write_pseudo_catalogues


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pseudo_catalogues(tmp_path_factory.mktemp("templates"))
