"""Paths: `next` against a WHATWG resolver, public paths, the root path (security rules 8 and 9)."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pwless_middleware.core.paths import (
    MAX_NEXT,
    PublicPaths,
    below,
    safe_next,
    without_last_slash,
)
from pwless_middleware.errors import ConfigError
from tests.core.whatwg import BASE_HOST, resolve

pieces = st.sampled_from(
    ["/", "//", "\\", ".", "..", "%2e", "%2E", "%2f", "%5C", "%09", "%0a", "%25", "%", "%00", "@",
     ":", "?", "#", "&", "=", ";", "a", "evil.example", "https:", "http:", "javascript:", "\t",
     "\n", "\r", " ", "\x00", "\x0b", "\x7f", "\x85", "\xa0", "é", "\u2028", "／", "。", "\udcff"]
)  # fmt: skip
references = st.one_of(
    st.lists(pieces, max_size=8).map("".join),
    st.lists(pieces, max_size=8).map(lambda parts: "/" + "".join(parts)),
    st.text(max_size=20).map(lambda text: "/" + text),
    st.text(max_size=20),
)


@given(references)
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("/%2e%2e//evil.example")
@example("/%2fevil.example")
@example("/a%2f..%2fb")
def test_what_is_kept_leads_a_browser_to_the_same_path_of_ours(text: str) -> None:
    kept = safe_next(text)
    if kept is None:
        return
    where = resolve(kept)
    assert where.host == BASE_HOST
    assert "/" + "/".join(where.path) == re.split("[?#]", kept, maxsplit=1)[0]
    assert kept.isascii()
    assert kept.isprintable()
    assert " " not in kept
    assert len(kept) <= MAX_NEXT


@given(references)
def test_what_a_server_then_decodes_is_no_other_path(text: str) -> None:
    kept = safe_next(text)
    if kept is not None:
        path = unquote(re.split("[?#]", kept, maxsplit=1)[0])
        assert not path.startswith("//")
        assert "\\" not in path
        assert not any(c < " " or c == "\x7f" for c in path)
        assert ".." not in path.split("/")
        assert "." not in path.split("/")


@given(references)
def test_what_is_kept_is_kept_again(text: str) -> None:
    kept = safe_next(text)
    assert kept is None or safe_next(kept) == kept


plain = st.text("abcXYZ019-._~!$&'()*+,;=:@", min_size=1, max_size=8)
honest = st.lists(plain.filter(lambda s: s not in (".", "..")), max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)


@given(honest, st.text("abc&=%/?:@-", max_size=10), st.text("abc", max_size=3))
def test_an_honest_path_is_kept_to_the_letter(path: str, query: str, fragment: str) -> None:
    text = path + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    assert safe_next(text) == text


@given(honest, st.sampled_from(["é", "日本", "😀", "ü/ß"]))
def test_other_scripts_are_encoded_and_mean_the_same(path: str, text: str) -> None:
    kept = safe_next(f"{path}/{text}")
    if not path.endswith("/"):
        assert kept is not None
        assert unquote(kept) == f"{path}/{text}"


@pytest.mark.parametrize(
    "text",
    [
        "/a//b", "/a%2Fb", "/repo/x%2fy/tree", "/a/", "/a//", "/web/2020//http://x.org/",
        "/%252e%252e/", "/a?b=c#d", "/a?b=../..//c", "/a#//b/../c", "/.well-known/x", "/...",
        "/a/..b",
    ],
)  # fmt: skip
def test_slashes_inside_a_path_are_kept_to_the_letter(text: str) -> None:
    assert safe_next(text) == text


@pytest.mark.parametrize(("text", "kept"), [("/a?b=\\c", "/a?b=%5Cc"), ("/a#\\", "/a#%5C")])
def test_a_backslash_behind_the_path_is_no_slash(text: str, kept: str) -> None:
    assert safe_next(text) == kept


@pytest.mark.parametrize(("length", "is_kept"), [(MAX_NEXT, True), (MAX_NEXT + 1, False)])
def test_a_next_has_at_most_8192_bytes(length: int, is_kept: bool) -> None:
    assert (safe_next("/" + "a" * (length - 1)) is not None) is is_kept
    # Bytes, as they go into the header: each of these letters is six.
    long = "/" + "é" * (MAX_NEXT // 6 + 1)
    assert safe_next(long) is None
    assert safe_next(long[:-1]) is not None


@pytest.mark.parametrize("text", [None, "", "a", "?", "#"])
def test_what_does_not_begin_with_a_slash_is_no_path(text: str | None) -> None:
    assert safe_next(text) is None


# --- public paths --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        "x",
        "/a*",
        "/*/b",
        "/a/../b",
        "/a//b",
        "//",
        "/a\\b",
        "/a\n",
        "*/",
        "**",
        "/**",
        "/./*",
        "/a?x=1",
        "/a#x",
    ],
)
def test_a_pattern_that_is_neither_a_path_nor_a_tree_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="public"):
        PublicPaths([pattern])


@pytest.mark.parametrize("patterns", ["/a", "*", [5], [None], 5, None, [b"/a"]])
def test_patterns_come_in_a_list_of_texts(patterns: object) -> None:
    with pytest.raises(ConfigError, match="public"):
        PublicPaths(patterns)  # type: ignore[arg-type]


def test_a_tree_is_what_is_below_it_and_not_itself() -> None:
    tree = PublicPaths(["/a/*", "/b"])
    assert tree.includes("/a/", None)
    assert tree.includes("/a/b/c", b"/a/b/c")
    assert tree.includes("/b", b"/b?x=%2f")
    for path in ("/a", "/ab", "/b/", "/b/c", "/", ""):
        assert not tree.includes(path, None)
    assert not tree.all


def test_the_whole_site_below_the_root_and_everything() -> None:
    below_root = PublicPaths(["/*"])
    assert below_root.includes("/x", None)
    assert not below_root.includes("/x/../y", None)
    assert PublicPaths(["*"]).includes("/x/../y", b"/x%2f")


@given(st.text(max_size=12), st.sampled_from(["", "/app", "/app/", "/a/b"]))
def test_a_root_path_is_taken_off_at_a_boundary(path: str, root: str) -> None:
    path = "/" + path
    front = root.rstrip("/")
    rest = below(path, root)
    assert rest == path or (front + rest).rstrip("/") == path.rstrip("/")
    assert below(front + path, root) == path
    if front:
        assert below(front + "x" + path, root) == front + "x" + path
        assert below(front, root) == "/"


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/app//x", "/app/", ("/app/x", "/app")),
        ("/app/x", "/app/", ("/app/x", "/app")),
        ("/x", "/app/", ("/x", "/app")),
        ("/app//", "/app/", ("/app/", "/app")),
        ("/app///x", "/app/", ("/app//x", "/app")),
        ("/app///x", "/app//", ("/app/x", "/app")),
        ("//x", "/", ("/x", "")),
        ("/x", "/", ("/x", "")),
        ("/", "/", ("/", "")),
    ],
)
def test_a_slash_at_the_end_of_a_root_path_is_taken_off_both(
    path: str, root: str, expected: tuple[str, str]
) -> None:
    assert without_last_slash(path, root) == expected
