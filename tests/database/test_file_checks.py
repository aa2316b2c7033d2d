"""What is said of a database's file; `tests/cli/checks/test_database_checks.py` has the rest."""

from __future__ import annotations

import pytest

from pwless_middleware.database.file_checks import check_disk


@pytest.mark.parametrize(("megabytes", "level"), [(10, "fail"), (100, "warn"), (1000, "ok")])
def test_a_disk_that_is_nearly_full(megabytes: int, level: str) -> None:
    assert check_disk("/data", megabytes * 1_000_000).level == level
