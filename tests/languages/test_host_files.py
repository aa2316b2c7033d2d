"""A host's own catalogues: what is wrong in one is told as the app starts, and breaks no page."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.errors import ConfigError
from pwless_middleware.languages.languages import Languages
from pwless_middleware.text import Text
from tests.languages.catalogues import TWO_FORMS, write_catalogue

MINUTES = ("%(n)s minute", "%(n)s minutes")


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ({"Sign in to %(brand)s": "Zu %(marke)s"}, r"names %\(marke\)s, which there is not"),
        ({"Sign in": "50 % mehr"}, "has a single %; write %%"),
        ({"Sign in to %(brand)s": "Zu %s"}, "has a single %"),
        ({"Sign in to %(brand)s": "Zu %(brand)d"}, "has a single %"),
        ({MINUTES: ["%(n)s Minute", "%(m)s Minuten"]}, r"names %\(m\)s"),
        ({MINUTES: ["%(n)s Minute", "%(num)s Minuten"]}, r"names %\(num\)s"),
        ({"Sign in to %(brand)s": "Zu %%(brand)s%"}, "has a single %"),
        ({"Sign in": "Hinein\x07"}, r"holds U\+0007"),
    ],
)
def test_a_text_that_could_not_be_filled_is_refused(
    messages: dict[str | tuple[str, str], str | list[str]], problem: str, tmp_path: Path
) -> None:
    write_catalogue(tmp_path / "languages" / "de.mo", messages)
    with pytest.raises(ConfigError, match=problem) as caught:
        Languages(folder=tmp_path)
    assert caught.value.option == "templates"
    assert "de.mo" in str(caught.value)


def test_a_text_may_do_without_a_value(tmp_path: Path) -> None:
    messages: dict[str | tuple[str, str], str | list[str]] = {
        "Sign in to %(brand)s": "Hinein",
        MINUTES: ["eine Minute", "%(n)s Minuten"],
    }
    write_catalogue(tmp_path / "languages" / "de.mo", messages)
    german = Languages(["de"], folder=tmp_path).default
    assert german.gettext("Sign in to %(brand)s") == "Hinein"
    assert german.ngettext(*MINUTES, 1) == "eine Minute"


def test_a_text_may_name_what_the_plural_alone_names(tmp_path: Path) -> None:
    several = ("One code of %(brand)s", "%(n)s codes of %(brand)s")
    texts = ["%(n)s Code", "%(n)s Codes\tvon %(brand)s"]
    write_catalogue(tmp_path / "languages" / "de.mo", {several: texts})
    german = Languages(["de"], folder=tmp_path).default
    assert german.translate(Text.for_count(*several, 2, brand="X")) == "2 Codes\tvon X"


@pytest.mark.parametrize("content", [b"", b"msgid", b"\xde\x12\x04\x95" + b"\xff" * 40])
def test_a_file_that_is_no_catalogue_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "de.mo").write_bytes(content)
    with pytest.raises(ConfigError, match=r"de\.mo cannot be read: make it anew"):
        Languages(folder=tmp_path)


@pytest.mark.parametrize("rule", ["nplurals=2; plural=n?", "nplurals=2; plural=n % 0"])
def test_a_plural_rule_that_fails_is_refused(rule: str, tmp_path: Path) -> None:
    file = tmp_path / "languages" / "de.mo"
    write_catalogue(file, {"Sign in": "Hinein"})
    padded = f"plural={rule.split('plural=')[1]:<8}"
    file.write_bytes(file.read_bytes().replace(TWO_FORMS[12:-1].encode(), padded.encode()))
    with pytest.raises(ConfigError, match=r"de\.mo"):
        Languages(folder=tmp_path)


def test_a_name_that_is_no_language_and_a_file_that_is_not_compiled_are_told(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "languages"
    write_catalogue(folder / "my texts.mo", {"Sign in": "Hinein"})
    with pytest.raises(ConfigError, match="by its language: a tag such as fi"):
        Languages(folder=tmp_path)
    (folder / "my texts.mo").unlink()
    for name in ("pt_PT", "x", "a" * 9, "aa" + "-abcdefgh" * 4):
        write_catalogue(folder / f"{name}.mo", {"Sign in": "Hinein"})
        with pytest.raises(ConfigError, match="by its language: a tag such as fi"):
            Languages(folder=tmp_path)
        (folder / f"{name}.mo").unlink()
    write_catalogue(folder / "DE.mo", {"Sign in": "Hinein"})
    with pytest.raises(ConfigError, match=r"DE\.mo to de\.mo"):
        Languages(folder=tmp_path)
    (folder / "DE.mo").unlink()
    (folder / "fi.po").write_text("")
    with pytest.raises(ConfigError, match=r"msgfmt -o fi\.mo fi\.po"):
        Languages(folder=tmp_path)
    write_catalogue(folder / "fi.mo", {"Sign in": "Kirjaudu"})
    assert "fi" in Languages(folder=tmp_path).available


def test_who_translates_the_dashboard_reads_it_so(tmp_path: Path) -> None:
    folder = tmp_path / "languages"
    write_catalogue(folder / "fi.mo", {"Sign in": "Kirjaudu"})
    write_catalogue(folder / "et.mo", {"Sign in": "Logi sisse", "Overview": "Ülevaade"})
    languages = Languages(["fi", "et", "en"], folder=tmp_path)
    assert languages.for_administrators.codes == ("et", "en")
    assert languages.for_administrators.negotiate("fi").code == "et"
    assert Languages(["fi"], folder=tmp_path).for_administrators.codes == ("en",)
