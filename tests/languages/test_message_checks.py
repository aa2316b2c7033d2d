"""Each slip in a translation is found, and what a language may do is let by."""

from __future__ import annotations

import pytest

from tests.languages.message_checks import is_untranslated, problems_of_texts


def problems(message: str, text: str, language: str) -> str:
    """Return what is wrong with one translation, as one text."""
    return "; ".join(problems_of_texts([message], [text], language))


@pytest.mark.parametrize(
    ("message", "text", "language", "problem"),
    [
        ("%(n)s of %(m)s", "%(n)s von %(n)s", "de", "placeholders"),
        ("<b>Now</b>", "<b>Jetzt<b>", "de", "placeholders"),
        ("Hi %(name)s", "Hallo %%(name)s", "de", "placeholders"),
        ("<bdi>%(name)s</bdi>, hi", "</bdi>%(name)s<bdi>, hallo", "de", "within its elements"),
        ("<bdi>%(name)s</bdi>, hi", "<bdi></bdi>%(name)s, hallo", "de", "within its elements"),
        ("Hi", "Hallo<img src=x onerror=alert(1) ", "de", "number of <"),
        ("Hi", "Hallo<!-- ", "de", "number of <"),
        ("Hi", 'Hallo" autofocus onfocus="alert(1)', "de", 'number of <, >, "'),
        ("Hi", "Hallo&#60;script&#62;", "de", "entities"),
        ("Hi", "Hallo&lt;b", "de", "entities"),
        ("Half", "50 % davon", "de", "number of %"),
        ("Sign in ", "Anmelden", "de", "spaces"),
        ("Sign in", " Anmelden", "de", "spaces"),
        ("Done.", "Fertig", "de", "ends with full stop"),
        ("Done", "Fertig.", "de", "ends with nothing"),
        ("Open:", "Öffnen.", "de", "ends with colon"),
        ("“Done.”", "„Fertig“.?", "de", "ends with full stop"),
        ("Done", "完了。", "ja", "ends with nothing"),
        ("Code", "קוד\u200f", "he", "RIGHT-TO-LEFT MARK"),
        ("Code", "\u2068Code\u2069", "de", "FIRST STRONG ISOLATE"),
        ("Code", "Co\u200bde", "de", "ZERO WIDTH SPACE"),
        ("Code", "Co\u200cde", "de", "ZERO WIDTH NON-JOINER"),
        ("Code", "Mot\u00a0de passe", "fr", "no-break space"),
        ("Code", "Ein\u00a0Code", "de", "no-break space"),
        ("Sign in", "Jetzt  anmelden", "de", "two spaces"),
        ("Back", "Zuru\u0308ck", "de", "NFC"),
        ("Password", "П\u0430роль i код".replace("\u0430", "a"), "uk", "CYRILLIC and LATIN"),
        ("Code", "K\u03bfde", "de", "GREEK and LATIN"),
        ("Open “Web”.", "“Web”を開きます。", "ja", "quotation marks"),
        ("Open “Web”.", "打开「Web」。", "zh-Hans", "quotation marks"),
        ("Open %(name)s.", "%(name)s을 여세요.", "ko", "a particle"),
    ],
)
def test_a_slip_is_found(message: str, text: str, language: str, problem: str) -> None:
    assert problem in problems(message, text, language)


@pytest.mark.parametrize(
    ("message", "text", "language"),
    [
        ("Done?", "¿Listo?", "es"),
        ("Open “Done”.", "Ouvrir «\u00a0Terminé\u00a0».", "fr"),
        ("Which one?", "Lequel\u202f?", "fr"),
        ("Open this link:", "このリンクを開いてください。", "ja"),
        ("Open “Web”.", "「Web」を開きます。", "ja"),
        ("Open %(name)s.", "%(name)s 페이지를 여세요.", "ko"),
        ("Write +44 7400 123456.", "يُرجى كتابة +44 7400 123456", "ar"),
        ("Copy the ACS URL.", "انسخ العنوان وACS.", "ar"),
        ("Why?", "Γιατί;", "el"),
        ("It is done.", "यह हो गया।", "hi"),
        ("U.S. Virgin Islands", "Islas Vírgenes de EE. UU.", "es"),
        ("Your recovery codes", "Wiederherstellungs\u00adcodes", "de"),
        ("100%% sure", "100 %% sicher", "de"),
        ("“Done.”", "„Fertig.“", "de"),
        ("Kitts & Nevis", "Nevis & Kitts", "de"),
        ("<bdi>%(a)s</bdi> and <bdi>%(b)s</bdi>", "<bdi>%(b)s</bdi> e <bdi>%(a)s</bdi>", "it"),
    ],
)
def test_what_a_language_may_do_is_let_by(message: str, text: str, language: str) -> None:
    assert problems(message, text, language) == ""


def test_a_message_that_was_left_in_english_is_found() -> None:
    assert is_untranslated(["Save"], ["Save"], "de")
    assert is_untranslated(["%(n)s code", "%(n)s codes"], ["%(n)s codes"], "ja")
    assert is_untranslated(["Provider"], ["Provider"], "ja"), "it has letters of its own"
    assert not is_untranslated(["Provider"], ["Provider"], "nl")
    assert not is_untranslated(["%(day)s %(month)s %(year)s"], ["%(day)s %(month)s %(year)s"], "fr")
    assert not is_untranslated(["NameID"], ["NameID"], "ja")


def test_a_form_of_one_number_alone_may_say_it_in_words() -> None:
    ids = ("%(n)s minute", "%(n)s minutes")
    assert list(problems_of_texts(ids, ["דקה אחת", "שתי דקות", "%(n)s דקות"], "he")) == []
    said = list(problems_of_texts(ids, ["דקה אחת", "שתי דקות", "דקות"], "he"))
    assert said == ["has other placeholders than 'דקות'"]
