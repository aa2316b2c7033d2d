"""`pwless export` and `pwless import`: everything, both ways, all or nothing."""

from __future__ import annotations

import asyncio
import io
import json
import os
import stat
from pathlib import Path

import pytest

from pwless_middleware.cli.main import main
from pwless_middleware.database.migrations import MIGRATIONS
from pwless_middleware.database.transfer import rows
from pwless_middleware.database.transfer.tables import TABLES
from tests.database.transfer.filled import ROWS, fill, read_all
from tests.support import make_site

HEADER = json.dumps({"pwless_export": 1, "schema": len(MIGRATIONS), "at": 1})
PERSON = {"id": "u-1", "email": "jo@example.com", "name": "Jo", "language": ""}
PERSON_ROW = {**PERSON, "created_at": 1, "seen_at": None, "disabled_at": None}
LINE = json.dumps({"table": "people", "row": PERSON_ROW})
END = json.dumps({"end": {"people": 1}})


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/pwless.db"


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Where a file may be made."""
    return tmp_path / "pwless.ndjson"


def write(path: Path, *lines: str) -> str:
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


@pytest.mark.parametrize("way", ["to PostgreSQL", "to SQLite"])
def test_everything_is_moved_from_one_kind_to_the_other(
    way: str,
    sqlite_url: str,
    postgres_url: str,
    exported: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In pages and batches that are smaller than a table."""
    monkeypatch.setattr(rows, "_PAGE", 3)
    monkeypatch.setattr(rows, "_BATCH", 2)
    source, target = sqlite_url, postgres_url
    if way == "to SQLite":
        source, target = target, source
    asyncio.run(fill(source))
    assert main(["export", "--database", source, "--output", str(exported)]) == 0
    assert f"exported {ROWS * len(TABLES)} rows: {ROWS} people, " in capsys.readouterr().err
    assert stat.S_IMODE(os.stat(exported).st_mode) == 0o600
    assert main(["import", str(exported), "--database", target]) == 0
    assert f"imported {ROWS * len(TABLES)} rows" in capsys.readouterr().err
    found, moved = asyncio.run(read_all(source)), asyncio.run(read_all(target))
    for table in TABLES:
        assert sorted(map(repr, found[table.name])) == sorted(map(repr, moved[table.name]))
        assert len(moved[table.name]) == ROWS


def test_through_a_pipe(
    sqlite_url: str,
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asyncio.run(fill(sqlite_url))
    assert main(["export", "--database", sqlite_url]) == 0
    piped = capsysbinary.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped)))
    other = f"sqlite:///{tmp_path}/other.db"
    assert main(["import", "-", "--database", other]) == 0
    assert asyncio.run(read_all(other)) == asyncio.run(read_all(sqlite_url))


def test_a_database_that_holds_something_is_replaced_only_where_that_is_asked(
    sqlite_url: str, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(fill(sqlite_url))
    write(exported, HEADER, LINE, END)
    assert main(["import", str(exported), "--database", sqlite_url]) == 2
    assert "there are people in the database: name an empty one, or --replace" in (
        capsys.readouterr().err
    )
    assert main(["import", str(exported), "--database", sqlite_url, "--replace"]) == 0
    found = asyncio.run(read_all(sqlite_url))
    assert found.pop("people") == [PERSON_ROW]
    assert not any(found.values())


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "the file is empty"),
        ([LINE, END], "line 1: the file is none of `pwless export`"),
        (["[]", END], "line 1: is no JSON object"),
        ([HEADER.replace(": 1,", ": 2,", 1)], "line 1: the file is of another version than 1"),
        ([HEADER.replace('"schema": ', '"schema": 99')], "import it with the version that"),
        ([HEADER, LINE], "line 3: the file ends without its last line"),
        ([HEADER, LINE[:40]], "line 2: is no JSON object"),
        ([HEADER, LINE, LINE.replace("people", "others")], "line 3: is no row of a table that"),
        ([HEADER, LINE.replace('"row"', '"rows"')], "line 2: is no row of a table"),
        ([HEADER, LINE.replace('"Jo"', '"J\\u0000o"')], "line 2: name of people is no text"),
        ([HEADER, LINE.replace('"Jo"', '"\\ud800"')], "line 2: name of people is no text"),
        ([HEADER, LINE.replace('": 1,', '": true,')], "line 2: created_at of people is no int"),
        ([HEADER, LINE.replace('"name"', '"nick"')], "line 2: people has other columns: name, ni"),
        (
            [HEADER, '{"table": "deleted_people", "row": {"digest": "?"}}'],
            "line 2: digest of deleted_people is no base64",
        ),
        ([HEADER, LINE, END.replace("1", "2")], "line 3: there are other rows than it counts"),
        ([HEADER, LINE, END, LINE], "line 4: stands behind the end"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(
    lines: list[str],
    told: str,
    sqlite_url: str,
    exported: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["import", write(exported, *lines), "--database", sqlite_url]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "jo@example.com" not in said
    assert not any(asyncio.run(read_all(sqlite_url)).values())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_rows_that_do_not_go_together_are_named(
    kind: str,
    exported: Path,
    sqlite_url: str,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same address twice, which only the database can tell."""
    url = sqlite_url if kind == "sqlite" else request.getfixturevalue("postgres_url")
    write(exported, HEADER, LINE, LINE.replace("u-1", "u-2"), END.replace("1", "2"))
    assert main(["import", str(exported), "--database", url]) == 2
    said = capsys.readouterr().err
    assert "nothing was imported: line" in said
    assert "jo@example.com" not in said
    assert not any(asyncio.run(read_all(url)).values())


def test_a_file_is_not_written_over(
    tmp_path: Path, sqlite_url: str, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pwless.db").touch()
    write(exported, "mine")
    assert main(["export", "--database", sqlite_url, "--output", str(exported)]) == 2
    assert "File exists" in capsys.readouterr().err
    assert exported.read_text() == "mine\n"


def test_an_export_that_fails_leaves_no_file(
    tmp_path: Path, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pwless.db").write_bytes(b"no database" * 100)
    url = f"sqlite:///{tmp_path}/pwless.db"
    assert main(["export", "--database", url, "--output", str(exported)]) == 2
    assert not exported.exists()
    assert "pwless.db" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "nowhere.ndjson", "--database", sqlite_url]) == 2
    assert "nowhere.ndjson: No such file" in capsys.readouterr().err


def test_a_move_signs_nobody_out_and_a_code_that_was_mailed_works_after_it(
    sqlite_url: str, postgres_url: str, exported: Path
) -> None:
    before = make_site(database=sqlite_url)
    insider, newcomer = before.browser(), before.browser()

    async def come() -> None:
        await insider.sign_in("jo@example.com")
        await newcomer.ask("al@example.com")
        await before.passwordless.lifetime.close()

    asyncio.run(come())
    assert main(["export", "--database", sqlite_url, "--output", str(exported)]) == 0
    assert main(["import", str(exported), "--database", postgres_url]) == 0
    after = make_site(database=postgres_url, clock=before.clock, outbox=before.outbox)

    async def go_on() -> tuple[str | None, str | None]:
        mailed = after.browser(cookies=newcomer.cookies)
        await mailed.type_code(after.mail("al@example.com").code)
        found = await after.browser(cookies=insider.cookies).who(), await mailed.who()
        await after.passwordless.lifetime.close()
        return found

    assert asyncio.run(go_on()) == ("jo@example.com", "al@example.com")
