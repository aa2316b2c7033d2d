"""What this service says of itself (RFC 7643 sections 5 to 7): Users, and of them what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
MOST_RESULTS: Final = 200
_CONFIG: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_TYPE: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"

Document = dict[str, object]


def _attribute(
    name: str,
    description: str,
    *,
    type: str = "string",
    required: bool = False,
    mutability: str = "readWrite",
    uniqueness: str = "none",
    several: bool = False,
    inner: Sequence[Mapping[str, object]] = (),
) -> Document:
    found: Document = {
        "name": name,
        "type": type,
        "multiValued": several,
        "description": description,
        "required": required,
        "mutability": mutability,
        "returned": "default",
    }
    if type != "complex":
        found["uniqueness"] = uniqueness
    if type == "string":
        found["caseExact"] = False
    if inner:
        found["subAttributes"] = list(inner)
    return found


_READ_ONLY: Final = "readOnly"
ATTRIBUTES: Final = (
    _attribute(
        "userName",
        "The email address of the person, in a verified domain of the organization. It stays.",
        required=True,
        mutability="immutable",
        uniqueness="server",
    ),
    _attribute(
        "active",
        "Whether the person may sign in to the organization; sessions in it end at once.",
        type="boolean",
        required=True,
    ),
    _attribute(
        "displayName", "What the person is called; read for a new account.", mutability=_READ_ONLY
    ),
    _attribute(
        "emails",
        "The address once more.",
        type="complex",
        mutability=_READ_ONLY,
        several=True,
        inner=(
            _attribute("value", "The address.", mutability=_READ_ONLY),
            _attribute("type", "Always `work`.", mutability=_READ_ONLY),
            _attribute("primary", "Always true.", type="boolean", mutability=_READ_ONLY),
        ),
    ),
)


def provider_config(base: str) -> Document:
    """Return what the service can do; `base` is its URL."""
    no: Document = {"supported": False}
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {**no, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_RESULTS},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "The token of the connection, in the header Authorization.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": _meta(base, "ServiceProviderConfig", ""),
    }


def resource_types(base: str) -> list[Document]:
    """Return the kinds of resources that there are."""
    return [
        {
            "schemas": [_TYPE],
            "id": "User",
            "name": "User",
            "endpoint": "/Users",
            "description": "A member of the organization.",
            "schema": USER,
            "schemaExtensions": [],
            "meta": _meta(base, "ResourceType", "User"),
        }
    ]


def schemas(base: str) -> list[Document]:
    """Return the schemas of the resources."""
    return [
        {
            "schemas": [_SCHEMA],
            "id": USER,
            "name": "User",
            "description": "A member of the organization.",
            "attributes": list(ATTRIBUTES),
            "meta": _meta(base, "Schema", USER),
        }
    ]


def list_of(found: Sequence[Document], *, total: int | None = None, start: int = 1) -> Document:
    """Return a page of resources."""
    return {
        "schemas": [LIST],
        "totalResults": len(found) if total is None else total,
        "startIndex": start,
        "itemsPerPage": len(found),
        "Resources": list(found),
    }


def _meta(base: str, kind: str, id: str) -> Document:
    place = {"ResourceType": "ResourceTypes", "Schema": "Schemas"}.get(kind, kind)
    return {"resourceType": kind, "location": f"{base}/{place}" + (f"/{id}" if id else "")}
