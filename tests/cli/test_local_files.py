"""The files that an app on one's own machine keeps: for their owner alone, and found again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.local_files import complete_database, keep_key


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_next_start_finds_the_same_database_and_key(folder: Path) -> None:
    first: dict[str, str] = {}
    again: dict[str, str] = {"PWLESS_SECRET_KEY": " ", "PWLESS_DATABASE_URL": ""}
    said = complete_database(first)
    assert complete_database(again) == said
    assert again == first
    assert first["PWLESS_DATABASE_URL"] == "sqlite:///pwless.db"
    assert len(first["PWLESS_SECRET_KEY"]) >= 43
    assert first["PWLESS_SECRET_KEY"] not in "".join(said)
    assert stat.S_IMODE((folder / "pwless.key").stat().st_mode) == 0o600


def test_the_key_stands_beside_the_database_that_was_named(folder: Path) -> None:
    (folder / "data").mkdir()
    environ = {"PWLESS_DATABASE_URL": "sqlite:///data/app.db"}
    complete_database(environ)
    assert (folder / "data" / "app.key").read_text().strip() == environ["PWLESS_SECRET_KEY"]


def test_a_key_that_others_can_read_is_closed_to_them(folder: Path) -> None:
    file = folder / "pwless.key"
    file.write_text("k" * 40)
    file.chmod(0o644)
    assert keep_key(file) == "k" * 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["postgresql://localhost/app", ""])
def test_without_a_file_the_key_is_a_new_one_each_time(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not url:  # a folder that nobody may write to, even for who runs the tests as root
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    keys = set()
    for _ in range(2):
        environ = {"PWLESS_DATABASE_URL": url}
        said = complete_database(environ)
        assert said == ["no PWLESS_SECRET_KEY: made one; sessions end with this process"]
        assert environ["PWLESS_DATABASE_URL"] == url
        keys.add(environ["PWLESS_SECRET_KEY"])
    assert len(keys) == 2
    assert not list(folder.iterdir())


def test_a_key_file_that_is_of_no_use_is_told(folder: Path) -> None:
    (folder / "pwless.key").touch()
    with pytest.raises(UsageError, match="is empty: delete it"):
        complete_database({})
    (folder / "pwless.key").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="set PWLESS_SECRET_KEY"):
        complete_database({})


def test_a_folder_that_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match=r"the folder .*data of the database is missing: make it"):
        complete_database({"PWLESS_DATABASE_URL": "sqlite:///data/app.db"})
