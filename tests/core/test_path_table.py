"""Which pattern answers a path, and which two may not stand beside each other (security rule 9)."""

from __future__ import annotations

import pytest

from pwless_middleware.core.path_table import PathTable
from pwless_middleware.errors import ConfigError


def table(*paths: str) -> PathTable[str]:
    made: PathTable[str] = PathTable()
    for number, path in enumerate(paths):
        made.add(path, path, owner=f"Feature{number}")
    return made


@pytest.mark.parametrize(
    ("path", "pattern", "values"),
    [
        ("/orgs", "/orgs", {}),
        ("/orgs/new", "/orgs/new", {}),
        ("/orgs/5", "/orgs/{id}", {"id": "5"}),
        ("/orgs/5/members", "/orgs/{id}/members", {"id": "5"}),
        ("/orgs/new/members", "/orgs/new/members", {}),
        ("/orgs/5/members/jo@example.com", "/orgs/{id}/members/{member}",
         {"id": "5", "member": "jo@example.com"}),
        ("/orgs/members/members/members", "/orgs/{id}/members/{member}",
         {"id": "members", "member": "members"}),
        ("/orgs/é b%2f", "/orgs/{id}", {"id": "é b%2f"}),
    ],
)  # fmt: skip
def test_the_narrowest_pattern_answers(path: str, pattern: str, values: dict[str, str]) -> None:
    made = table(
        "/orgs/{id}/members/{member}", "/orgs/{id}", "/orgs/{id}/members", "/orgs",
        "/orgs/new", "/orgs/new/members",
    )  # fmt: skip
    assert made.find(path) == (pattern, values)


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "orgs", "/org", "/orgs/", "/orgs//members", "/orgs/5/", "/orgs/5/member",
        "/orgs/5/members/", "/orgs/5/members/6/7", "/orgs/5/members/6\n", "/orgs\n", "/orgs/5\n",
        "/orgs/\x00", "/orgs/a\\b", "/orgs/.", "/orgs/..", "/orgs/../members", "/ORGS", "//orgs",
        "/orgs/{id}/", "/orgs/\x85",
    ],
)  # fmt: skip
def test_what_is_no_path_of_the_table_is_found_nowhere(path: str) -> None:
    made = table("/orgs", "/orgs/{id}", "/orgs/{id}/members", "/orgs/{id}/members/{member}")
    assert made.find(path) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a", "/a"),
        ("/a/{id}", "/a/{name}"),
        ("/a/{x}/c", "/a/b/{y}"),
        ("/a/{x}/{y}/d", "/a/{z}/c/{w}"),
    ],
)
def test_two_patterns_that_could_answer_one_path_are_refused_with_both_names(
    one: str, other: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        table(one, other)
    for text in ("Feature0", "Feature1", one, other):
        assert text in str(raised.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [("/a/{x}", "/a/b"), ("/a/{x}/c", "/a/{x}/d"), ("/a/{x}", "/a/{x}/c"), ("/a/{x}", "/b/{x}")],
)
def test_a_narrower_pattern_may_stand_beside_a_wider_one(one: str, other: str) -> None:
    table(one, other)
    table(other, one)


@pytest.mark.parametrize(
    "path",
    [
        "", "a", "/", "/a/", "//a", "/a//b", "/{id}", "/a/{id", "/a/id}", "/a/{}", "/a/{Id}",
        "/a/x{id}", "/a/{id}{b}", "/a/{id}/{id}", "/a b", "/a/.", "/a/..", "/a%20b", "/a\n",
        "/a/{id:path}", "/é", None, 5,
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_its_owner(path: str) -> None:
    with pytest.raises(ConfigError, match="Feature0 mounts"):
        table(path)
