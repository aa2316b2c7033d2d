"""The names of everything in the store, in one table.

    key                          kind     what stands there
    {address}<id>                record   a challenge
    {address}<id>t               budget   tries of one challenge
    {address}s · {address}t      budget   sends · tries of strangers, for an address
    {address}sd<exact> · …td…    budget   sends · tries of the devices known to an exact address
    c<client>s · c<client>t      budget   sends · tries of a client
    c<client>p · c<client>m      budget   tries of a client with passkeys · its text messages
    a<name>                      budget   sends of the whole deployment
    m<keyed>                     budget   text messages to a number, a block of numbers, everybody
    {user}s<id>                  record   a session
    {user}l                      list     a user's sessions
    {user}p<id>                  record   a pending login
    {user}p<id>t · {user}p<id>r  budget   tries of one pending login · of them, by what recovers
    {user}q                      list     a user's pending logins
    {user}k · {user}r            budget   tries at steps of a user, all logins · by what recovers
    {user}m                      budget   text messages for a user
    {user}c                      budget   changes of what a user signs in with
    {user}c<id>                  record   one of these changes, for a second
    {user}w<id>                  record   what was withdrawn from a session not long ago
    {user}d                      record   since when no device cookie of a user holds
    {user}n                      signal   what is known of a user has changed
    {topic}n                     signal   what a topic names has changed
    {feature}f<key>              record   one of a feature's own; of a group, the whole group's slot
    {feature}fl                  list     the records of a feature's group

`{address}`, `{user}`, `{topic}` and `{feature}` are digests of 16 bytes in braces: a Redis Cluster
keeps what has one of them in one slot, so that it is written in one step. What follows them are
digests and random bytes, so that no input can form another's key. Under a signal nothing ever
stands: its drop is published, and that is all. Budgets and records are two spaces: `{…}s` as
a budget and `{…}s<id>` as a record never meet. A store may put a prefix of its own in front.
"""

from __future__ import annotations

import re

from pwless_middleware.core.challenges.challenge import ID_BYTES, ChallengeId
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.digest import digest

_OF_FEATURES = re.compile(r"\{[\w-]{22}\}f(?:[\w-]{22}|l)?")
_FOR_FEATURES = re.compile(r"\{[\w-]{22}\}(?:[\w-]{22}|f(?:[\w-]{22}|l)?|d)")

TAG_BYTES = 16
"""Bytes of the digest that names an address or a user."""


def _tag(digest: bytes) -> str:
    return "{" + b64(digest[:TAG_BYTES]) + "}"


# --- an address ----------------------------------------------------------------------------------


def challenge_key(id: ChallengeId) -> str:
    """Return the record of a challenge: its address's slot, then its random part."""
    return _tag(id) + b64(id[TAG_BYTES:ID_BYTES])


def challenge_tries(id: ChallengeId) -> str:
    """Return the budget of one challenge's tries."""
    return challenge_key(id) + "t"


def address_budget(id: ChallengeId, what: str) -> str:
    """Return the budget of strangers for the address of a challenge.

    Args:
        id: of the challenge.
        what: `s` for sends, `t` for tries.
    """
    return _tag(id) + what


def device_budget(id: ChallengeId, what: str, exact: bytes) -> str:
    """Return the budget of the devices that an exact address knows; `what` as above."""
    return f"{_tag(id)}{what}d{b64(exact)}"


# --- clients and everybody -----------------------------------------------------------------------


def client_budget(realm: str, network: str, what: str) -> str:
    """Return the budget of a client's network.

    Args:
        realm: the deployment's.
        network: the client's.
        what: `s` for sends, `t` for tries, `p` for tries with passkeys, `m` for text messages,
            `o` for answers of identity providers,
            `k` for places that a login leads to.
    """
    return f"c{b64(digest('client', realm, network))}{what}"


def overall_budget(realm: str) -> str:
    """Return the budget of all sends of a deployment."""
    return "a" + b64(digest("overall", realm))


def text_budget(keyed: bytes) -> str:
    """Return the budget of text messages.

    Args:
        keyed: a keyed digest of what they have in common: phone numbers are so few that an unkeyed
            one would tell which they are.
    """
    return "m" + b64(keyed[:TAG_BYTES])


# --- a user --------------------------------------------------------------------------------------


def user_slot(realm: str, user_id: str) -> bytes:
    """Return the digest under which everything of a user is kept."""
    return digest("user-slot", realm, user_id)


def session_key(slot: bytes, session_id: str) -> str:
    """Return the record of a session."""
    return f"{_tag(slot)}s{session_id}"


def session_place(secret: bytes) -> tuple[str, str]:
    """Return the record of the session that a secret opens, and the session's public id.

    Args:
        secret: 48 bytes, the last 16 of them its user's slot (`SessionSecret`).
    """
    id = b64(digest("session", b64(secret)))
    return session_key(secret[-TAG_BYTES:], id), id


def session_id_of(key: str) -> str:
    """Return the id of the session that stands under a key."""
    return key.rpartition("}s")[2]


def session_list(slot: bytes) -> str:
    """Return the list of a user's sessions."""
    return _tag(slot) + "l"


def pending_key(id: bytes) -> str:
    """Return the record of a pending login: its user's slot, then its random part."""
    return f"{_tag(id)}p{b64(id[TAG_BYTES:])}"


def pending_tries(id: bytes, *, recovers: bool = False) -> str:
    """Return the budget of one pending login's tries.

    Args:
        id: of the login.
        recovers: whether it is that of the methods that stand in for what somebody has lost.
    """
    return pending_key(id) + ("r" if recovers else "t")


def pending_list(slot: bytes) -> str:
    """Return the list of a user's pending logins."""
    return _tag(slot) + "q"


def step_tries(slot: bytes, *, recovers: bool = False) -> str:
    """Return the budget of a user's tries at steps, over all logins; `recovers` as above."""
    return _tag(slot) + ("r" if recovers else "k")


def user_text_budget(slot: bytes) -> str:
    """Return the budget of the text messages that are sent for a user."""
    return _tag(slot) + "m"


def change_budget(slot: bytes) -> str:
    """Return the budget of changes of what a user signs in with."""
    return _tag(slot) + "c"


def change_record(slot: bytes, random: bytes) -> str:
    """Return the record that is written as one of these changes is counted."""
    return f"{_tag(slot)}c{b64(random)}"


def withdrawal_mark(slot: bytes, session_id: str, method: str) -> str:
    """Return the record that holds which proof by a method was withdrawn from a session."""
    return f"{_tag(slot)}w{b64(digest('withdrawal', session_id, method))}"


def device_mark(slot: bytes) -> str:
    """Return the record that holds when all sessions of a user were revoked."""
    return _tag(slot) + "d"


def user_signal(slot: bytes) -> str:
    """Return what is published when something of a user has changed."""
    return _tag(slot) + "n"


def user_signal_of(session_key: str) -> str:
    """Return the signal of the user whose session stands under a key."""
    return session_key.partition("}")[0] + "}n"


def topic_signal(realm: str, topic: str) -> str:
    """Return what is published when what a topic names has changed."""
    return _tag(digest("signal", realm, topic)) + "n"


# --- a feature -----------------------------------------------------------------------------------


def feature_slot(realm: str, feature: str, records: str, *of: str) -> str:
    """Return the tag of a feature's records, of one record or of a group.

    Args:
        realm: the deployment's.
        feature: its name.
        records: which of its records.
        of: what kind of thing has the slot, and its name.
    """
    return _tag(digest("feature", realm, feature, records, *of))


def feature_record(slot: str, key: str = "") -> str:
    """Return the record of a feature: alone in its slot, or by its key in a group's."""
    return f"{slot}f{b64(digest('feature-key', key))}" if key else slot + "f"


def feature_list(slot: str) -> str:
    """Return the list of the records in a group's slot."""
    return slot + "fl"


def is_for_features(key: str) -> bool:
    """Whether a record or list is one that the product's features may name: a challenge, the mark
    of revoked device cookies, or a feature's own. Sessions and pending logins are the door's.
    """
    return _FOR_FEATURES.fullmatch(key) is not None


def is_of_feature(key: str) -> bool:
    """Whether a record or list is one of a feature's own."""
    return _OF_FEATURES.fullmatch(key) is not None
