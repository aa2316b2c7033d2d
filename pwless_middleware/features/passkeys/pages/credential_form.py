"""A form that `passkeys.js` has filled in: what the browser answered, as one field of JSON."""

from __future__ import annotations

from collections.abc import Mapping

from pwless_middleware.web.parts.parts import Form
from pwless_middleware.web.requests.bodies import Json, parse_json


def has_credential(form: Form) -> bool:
    """Whether a form brings an answer. Without one it asks what there is to answer."""
    return bool(form.get("credential"))


def read_answer(form: Form) -> tuple[str, Mapping[str, Json]]:
    """Return the ceremony's id and the credential, which is not judged yet.

    Raises:
        InvalidArgument: the credential is no strict JSON (security rule 12).
    """
    return form.get("ceremony_id", ""), parse_json(form.get("credential", "").encode())
