"""Beside a login that the app had before: both work, people move over one by one.

Nothing is migrated: the app's accounts stay where they are, and are found by their address.
"""

from __future__ import annotations

from tests.apps.person import Person
from tests.apps.places import ROOT, needs, served

needs("python_multipart", "hypercorn", "granian")

APP = "tests.apps.served.starlette_app:app"


def enter_by_password(person: Person, email: str, password: str) -> str:
    done = person.http.post(person.url("/login"), data={"email": email, "password": password})
    assert done.status_code == 303, done.text
    return person.at(done)


def test_the_old_login_works_as_before(stranger: Person) -> None:
    assert stranger.at(stranger.open("/orders")) == "/login"
    assert enter_by_password(stranger, "old@example.com", "correct horse") == "/orders"
    assert stranger.visit("/orders").json() == {"orders of": "Olga Old"}
    assert stranger.http.get(stranger.url("/")).json()["name"] == "Olga Old"
    assert stranger.http.get(stranger.url("/auth/api/v1/session")).status_code == 401


def test_the_new_login_opens_the_same_account(stranger: Person) -> None:
    done = stranger.sign_in(
        "/auth/login?next=" + stranger.prefix + "/orders", email="mover@example.com"
    )
    assert stranger.at(done) == "/orders"
    assert stranger.visit("/orders").json() == {"orders of": "Mo Mover"}


def test_each_logout_ends_its_own_login_alone(stranger: Person) -> None:
    enter_by_password(stranger, "old@example.com", "correct horse")
    stranger.sign_in("/auth/login", email="mover@example.com")
    assert stranger.visit("/orders").json() == {"orders of": "Mo Mover"}
    stranger.sign_out()
    assert stranger.visit("/orders").json() == {"orders of": "Olga Old"}
    stranger.http.get(stranger.url("/logout"))
    assert stranger.at(stranger.open("/orders")) == "/login"


def test_the_apps_own_session_outlives_our_login_and_logout(stranger: Person) -> None:
    assert stranger.http.get(stranger.url("/basket")).text == "1"
    stranger.sign_in("/auth/login")
    assert stranger.http.get(stranger.url("/basket")).text == "2"
    stranger.sign_out()
    assert stranger.http.get(stranger.url("/basket")).text == "3"


def test_a_person_without_an_account_of_the_app_is_not_in(stranger: Person) -> None:
    stranger.sign_in("/auth/login", email="unknown@example.com")
    assert stranger.at(stranger.open("/orders")) == "/login"


def test_public_answers_to_a_signed_in_person_are_kept_out_of_caches(
    member: Person, stranger: Person
) -> None:
    answer = member.http.get(member.url("/"))
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "cookie" in answer.headers["vary"].lower()
    assert "cache-control" not in stranger.http.get(stranger.url("/")).headers


def test_when_all_have_moved_the_gate_closes_and_the_app_is_the_same() -> None:
    with served("tests.apps.served.starlette_app:closed", ROOT) as site, site.newcomer() as person:
        assert person.at(person.open("/orders")) == "/auth/login?next=%2Forders"
        person.sign_in("/orders", email="mover@example.com")
        assert person.visit("/orders").json() == {"orders of": "Mo Mover"}
