from __future__ import annotations

import pytest

from pwless_middleware.rendering.sentence_spaces import close_up


@pytest.mark.parametrize(
    ("language", "html", "closed"),
    [
        ("ja", "<p>完了。 <a>次へ</a> Acme Co。</p>", "<p>完了。<a>次へ</a> Acme Co。</p>"),
        ("ja", "5分。<span hidden> 次。</span>", "5分。<span hidden>次。</span>"),
        ("zh-Hans", "真的？ 是。 \n<p>", "真的？是。 \n<p>"),
        ("zh-Hant", "錯誤： 登入", "錯誤：登入"),
        ("ja", '<input value="あ。 い"> 次。 次', '<input value="あ。 い"> 次。次'),
        ("ja", '<input\nvalue="あ。 い。 "> 次。 次', '<input\nvalue="あ。 い。 "> 次。次'),
        (
            "ja",
            '<p data-text="あ。 い" title="value"></p>',
            '<p data-text="あ。い" title="value"></p>',
        ),
        ("ja", "<textarea rows=2>。 い</textarea>", "<textarea rows=2>。 い</textarea>"),
        ("ja", "<textarea>。 い</textarea>。 次", "<textarea>。 い</textarea>。次"),
        ("ko", "완료. 다음。 끝", "완료. 다음。 끝"),
        ("en", "Done. Next.", "Done. Next."),
    ],
)
def test_a_space_stands_between_sentences_where_the_language_has_one(
    language: str, html: str, closed: str
) -> None:
    assert close_up(html, language) == closed
