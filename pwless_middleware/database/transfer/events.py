"""The tables of events: what happened, what became of it, and how often."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement
from pwless_middleware.database.transfer.table import FIRST_INT, FIRST_TEXT, Table

EVENTS: Final = Table(
    name="events",
    columns={
        "id": "int",
        "at": "int",
        "kind": "text",
        "attempt": "text?",
        "user_id": "text?",
        "organization": "text?",
        "address": "text?",
        "email": "text?",
        "performed_by": "text?",
        "caller": "text?",
        "client": "text?",
        "device": "text?",
        "method": "text?",
        "session": "text?",
        "reason": "text?",
        "numbers": "text?",
        "details": "text?",
        "country": "text?",
    },
    key=1,
    first=(FIRST_INT,),
    page=Statement(
        "SELECT id, at, kind, attempt, user_id, organization, address, email, performed_by, "
        "caller, client, device, method, session, reason, numbers, details, country "
        "FROM pwless_events WHERE id > $1 ORDER BY id LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_events (id, at, kind, attempt, user_id, organization, address, email, "
        "performed_by, caller, client, device, method, session, reason, numbers, details, "
        "country) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
        "$17, $18)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_events (id, at, kind, attempt, user_id, organization, "
        "address, email, performed_by, caller, client, device, method, session, reason, numbers, "
        "details, country) SELECT id, at, kind, attempt, user_id, organization, address, email, "
        "performed_by, caller, client, device, method, session, reason, numbers, details, "
        "country FROM json_to_recordset($1::json) AS row (id bigint, at bigint, kind text, "
        "attempt text, user_id text, organization text, address text, email text, "
        "performed_by text, caller text, client text, device text, method text, session text, "
        "reason text, numbers text, details text, country text)",
    ),
    find=Statement("SELECT 1 FROM pwless_events LIMIT 1"),
    delete=Statement("DELETE FROM pwless_events"),
)

ATTEMPTS: Final = Table(
    name="attempts",
    columns={
        "name": "text",
        "first": "int",
        "last": "int",
        "outcome": "text",
        "reason": "text?",
        "weight": "int",
        "decided_by": "int",
        "user_id": "text?",
        "organization": "text?",
        "address": "text?",
        "email": "text?",
        "caller": "text?",
        "method": "text?",
        "step": "text?",
        "country": "text?",
        "device": "text?",
    },
    key=1,
    first=(FIRST_TEXT,),
    page=Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization, "
        "address, email, caller, method, step, country, device FROM pwless_attempts "
        "WHERE name > $1 ORDER BY name LIMIT $2"
    ),
    insert=Statement(
        "INSERT INTO pwless_attempts (name, first, last, outcome, reason, weight, decided_by, "
        "user_id, organization, address, email, caller, method, step, country, device) VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_attempts (name, first, last, outcome, reason, weight, "
        "decided_by, user_id, organization, address, email, caller, method, step, country, "
        "device) SELECT name, first, last, outcome, reason, weight, decided_by, user_id, "
        "organization, address, email, caller, method, step, country, device FROM "
        "json_to_recordset($1::json) AS row (name text, first bigint, last bigint, outcome text, "
        "reason text, weight bigint, decided_by bigint, user_id text, organization text, "
        "address text, email text, caller text, method text, step text, country text, "
        "device text)",
    ),
    find=Statement("SELECT 1 FROM pwless_attempts LIMIT 1"),
    delete=Statement("DELETE FROM pwless_attempts"),
)

EVENT_COUNTS: Final = Table(
    name="event_counts",
    columns={
        "organization": "text",
        "hour": "int",
        "kind": "text",
        "method": "text",
        "count": "int",
    },
    key=4,
    first=(FIRST_TEXT, FIRST_INT, FIRST_TEXT, FIRST_TEXT),
    page=Statement(
        "SELECT organization, hour, kind, method, count FROM pwless_event_counts WHERE "
        "(organization, hour, kind, method) > ($1, $2, $3, $4) ORDER BY organization, hour, kind, "
        "method LIMIT $5"
    ),
    insert=Statement(
        "INSERT INTO pwless_event_counts (organization, hour, kind, method, count) VALUES ($1, $2, "
        "$3, $4, $5)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_event_counts (organization, hour, kind, method, count) SELECT "
        "organization, hour, kind, method, count FROM json_to_recordset($1::json) AS row "
        "(organization text, hour bigint, kind text, method text, count bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_event_counts LIMIT 1"),
    delete=Statement("DELETE FROM pwless_event_counts"),
)

EVENT_COUNTERS: Final = Table(
    name="event_counters",
    columns={
        "span": "text",
        "start": "int",
        "kind": "text",
        "label": "text",
        "value": "text",
        "count": "int",
    },
    key=5,
    first=(FIRST_TEXT, FIRST_INT, FIRST_TEXT, FIRST_TEXT, FIRST_TEXT),
    page=Statement(
        "SELECT span, start, kind, label, value, count FROM pwless_event_counters WHERE "
        "(span, start, kind, label, value) > ($1, $2, $3, $4, $5) ORDER BY span, start, kind, "
        "label, value LIMIT $6"
    ),
    insert=Statement(
        "INSERT INTO pwless_event_counters (span, start, kind, label, value, count) VALUES ($1, "
        "$2, $3, $4, $5, $6)"
    ),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_event_counters (span, start, kind, label, value, count) "
        "SELECT span, start, kind, label, value, count FROM json_to_recordset($1::json) AS row "
        "(span text, start bigint, kind text, label text, value text, count bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_event_counters LIMIT 1"),
    delete=Statement("DELETE FROM pwless_event_counters"),
)

ACTIVE_PEOPLE: Final = Table(
    name="active_people",
    columns={"user_id": "text", "span": "text", "start": "int"},
    key=3,
    first=(FIRST_TEXT, FIRST_TEXT, FIRST_INT),
    page=Statement(
        "SELECT user_id, span, start FROM pwless_active_people WHERE (user_id, span, start) > "
        "($1, $2, $3) ORDER BY user_id, span, start LIMIT $4"
    ),
    insert=Statement("INSERT INTO pwless_active_people (user_id, span, start) VALUES ($1, $2, $3)"),
    insert_many=Statement(
        "",
        postgres="INSERT INTO pwless_active_people (user_id, span, start) SELECT user_id, span, "
        "start FROM json_to_recordset($1::json) AS row (user_id text, span text, start bigint)",
    ),
    find=Statement("SELECT 1 FROM pwless_active_people LIMIT 1"),
    delete=Statement("DELETE FROM pwless_active_people"),
)
