"""The SQL of events, all of it. The columns of a row stand in the order of `event_row`."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement

WRITE = Statement(
    "INSERT INTO pwless_events (id, at, kind, attempt, user_id, organization, address, email,"
    " performed_by, caller, client, device, method, session, reason, numbers, details,"
    " country)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),"
    " json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),"
    " json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),"
    " json_extract(value, '$[12]'), json_extract(value, '$[13]'), json_extract(value, '$[14]'),"
    " json_extract(value, '$[15]'), json_extract(value, '$[16]'), json_extract(value, '$[17]')"
    " FROM json_each($1) WHERE true ON CONFLICT (id) DO NOTHING RETURNING id",
    postgres="INSERT INTO pwless_events (id, at, kind, attempt, user_id, organization, address,"
    " email, performed_by, caller, client, device, method, session, reason, numbers, details,"
    " country)"
    " SELECT CAST(r->>0 AS BIGINT), CAST(r->>1 AS BIGINT), r->>2, r->>3, r->>4, r->>5, r->>6,"
    " r->>7, r->>8, r->>9, r->>10, r->>11, r->>12, r->>13, r->>14, r->>15, r->>16,"
    " r->>17"
    " FROM json_array_elements(CAST(CAST($1 AS TEXT) AS JSON)) AS r"
    " ON CONFLICT (id) DO NOTHING RETURNING id",
)
COUNT = Statement(
    "INSERT INTO pwless_event_counts (organization, hour, kind, method, count)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[3]'), json_extract(value, '$[4]') FROM json_each($1) WHERE true"
    " ON CONFLICT (organization, hour, kind, method)"
    " DO UPDATE SET count = pwless_event_counts.count + excluded.count",
    postgres="INSERT INTO pwless_event_counts (organization, hour, kind, method, count)"
    " SELECT r->>0, CAST(r->>1 AS BIGINT), r->>2, r->>3, CAST(r->>4 AS BIGINT)"
    " FROM json_array_elements(CAST(CAST($1 AS TEXT) AS JSON)) AS r"
    " ON CONFLICT (organization, hour, kind, method)"
    " DO UPDATE SET count = pwless_event_counts.count + excluded.count",
)
COUNTS = Statement(
    "SELECT hour - hour % $3 AS start, kind, method, CAST(SUM(count) AS BIGINT)"
    " FROM pwless_event_counts WHERE organization = $4 AND hour >= $1 AND hour < $2"
    " GROUP BY start, kind, method ORDER BY start, kind, method"
)
READ = Statement(
    "SELECT id, at, kind, attempt, user_id, organization, address, email, performed_by, caller,"
    " client, device, method, session, reason, numbers, details, country FROM pwless_events"
    " WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id",
    postgres="SELECT id, at, kind, attempt, user_id, organization, address, email, performed_by,"
    " caller, client, device, method, session, reason, numbers, details, country FROM pwless_events"
    " WHERE id IN (SELECT CAST(json_array_elements_text(CAST(CAST($1 AS TEXT) AS JSON)) AS BIGINT))"
    " ORDER BY id",
)

# Searches give ids, by the one index that helps most; what else is asked for is looked at row by
# row, by `look_back` only as far as `REACH` says. PostgreSQL compares pairs, so that no plan of it
# can go through all by time instead, to find what is rare. Their values: after, before, attempt,
# organization, kinds as `,a,b,`, method, country, limit, and what leads; an empty text is none.
# `IN` would need a second text for a list, and LIKE has wildcards.
NEWEST_FIRST: Final = {
    "": Statement(
        "SELECT id FROM pwless_events WHERE id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8"
    ),
    "kind": Statement(
        "SELECT id FROM pwless_events WHERE kind = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE kind IS NOT NULL"
        " AND (kind, id) > ($9, $1) AND (kind, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY kind DESC, id DESC LIMIT $8",
    ),
    "attempt": Statement(
        "SELECT id FROM pwless_events WHERE attempt = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE attempt IS NOT NULL"
        " AND (attempt, id) > ($9, $1) AND (attempt, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY attempt DESC, id DESC LIMIT $8",
    ),
    "user_id": Statement(
        "SELECT id FROM pwless_events WHERE user_id = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE user_id IS NOT NULL"
        " AND (user_id, id) > ($9, $1) AND (user_id, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY user_id DESC, id DESC LIMIT $8",
    ),
    "address": Statement(
        "SELECT id FROM pwless_events WHERE address = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE address IS NOT NULL"
        " AND (address, id) > ($9, $1) AND (address, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY address DESC, id DESC LIMIT $8",
    ),
    "organization": Statement(
        "SELECT id FROM pwless_events WHERE organization = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE organization IS NOT NULL"
        " AND (organization, id) > ($9, $1) AND (organization, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY organization DESC, id DESC LIMIT $8",
    ),
    "method": Statement(
        "SELECT id FROM pwless_events WHERE method = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE method IS NOT NULL"
        " AND (method, id) > ($9, $1) AND (method, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY method DESC, id DESC LIMIT $8",
    ),
    "country": Statement(
        "SELECT id FROM pwless_events WHERE country = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE country IS NOT NULL"
        " AND (country, id) > ($9, $1) AND (country, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY country DESC, id DESC LIMIT $8",
    ),
    "session": Statement(
        "SELECT id FROM pwless_events WHERE session = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id DESC LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE session IS NOT NULL"
        " AND (session, id) > ($9, $1) AND (session, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY session DESC, id DESC LIMIT $8",
    ),
}
OLDEST_FIRST: Final = {
    "": Statement(
        "SELECT id FROM pwless_events WHERE id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8"
    ),
    "kind": Statement(
        "SELECT id FROM pwless_events WHERE kind = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE kind IS NOT NULL"
        " AND (kind, id) > ($9, $1) AND (kind, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY kind, id LIMIT $8",
    ),
    "attempt": Statement(
        "SELECT id FROM pwless_events WHERE attempt = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE attempt IS NOT NULL"
        " AND (attempt, id) > ($9, $1) AND (attempt, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY attempt, id LIMIT $8",
    ),
    "user_id": Statement(
        "SELECT id FROM pwless_events WHERE user_id = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE user_id IS NOT NULL"
        " AND (user_id, id) > ($9, $1) AND (user_id, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY user_id, id LIMIT $8",
    ),
    "address": Statement(
        "SELECT id FROM pwless_events WHERE address = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE address IS NOT NULL"
        " AND (address, id) > ($9, $1) AND (address, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY address, id LIMIT $8",
    ),
    "organization": Statement(
        "SELECT id FROM pwless_events WHERE organization = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE organization IS NOT NULL"
        " AND (organization, id) > ($9, $1) AND (organization, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY organization, id LIMIT $8",
    ),
    "method": Statement(
        "SELECT id FROM pwless_events WHERE method = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE method IS NOT NULL"
        " AND (method, id) > ($9, $1) AND (method, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY method, id LIMIT $8",
    ),
    "country": Statement(
        "SELECT id FROM pwless_events WHERE country = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE country IS NOT NULL"
        " AND (country, id) > ($9, $1) AND (country, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY country, id LIMIT $8",
    ),
    "session": Statement(
        "SELECT id FROM pwless_events WHERE session = $9 AND id > $1 AND id < $2"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY id LIMIT $8",
        postgres="SELECT id FROM pwless_events WHERE session IS NOT NULL"
        " AND (session, id) > ($9, $1) AND (session, id) < ($9, $2)"
        " AND ($3 = '' OR attempt = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR replace($5, ',' || kind || ',', '') <> $5)"
        " AND ($6 = '' OR method = $6) AND ($7 = '' OR country = $7)"
        " ORDER BY session, id LIMIT $8",
    ),
}
REACH: Final = {
    "": Statement(
        "SELECT id FROM pwless_events WHERE id > $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3"
    ),
    "kind": Statement(
        "SELECT id FROM pwless_events WHERE kind = $4 AND id > $1 AND id < $2"
        " ORDER BY id DESC LIMIT 1 OFFSET $3",
        postgres="SELECT id FROM pwless_events WHERE kind IS NOT NULL"
        " AND (kind, id) > ($4, $1) AND (kind, id) < ($4, $2)"
        " ORDER BY kind DESC, id DESC LIMIT 1 OFFSET $3",
    ),
    "attempt": Statement(
        "SELECT id FROM pwless_events WHERE attempt = $4 AND id > $1 AND id < $2"
        " ORDER BY id DESC LIMIT 1 OFFSET $3",
        postgres="SELECT id FROM pwless_events WHERE attempt IS NOT NULL"
        " AND (attempt, id) > ($4, $1) AND (attempt, id) < ($4, $2)"
        " ORDER BY attempt DESC, id DESC LIMIT 1 OFFSET $3",
    ),
    "user_id": Statement(
        "SELECT id FROM pwless_events WHERE user_id = $4 AND id > $1 AND id < $2"
        " ORDER BY id DESC LIMIT 1 OFFSET $3",
        postgres="SELECT id FROM pwless_events WHERE user_id IS NOT NULL"
        " AND (user_id, id) > ($4, $1) AND (user_id, id) < ($4, $2)"
        " ORDER BY user_id DESC, id DESC LIMIT 1 OFFSET $3",
    ),
    "address": Statement(
        "SELECT id FROM pwless_events WHERE address = $4 AND id > $1 AND id < $2"
        " ORDER BY id DESC LIMIT 1 OFFSET $3",
        postgres="SELECT id FROM pwless_events WHERE address IS NOT NULL"
        " AND (address, id) > ($4, $1) AND (address, id) < ($4, $2)"
        " ORDER BY address DESC, id DESC LIMIT 1 OFFSET $3",
    ),
    "organization": Statement(
        "SELECT id FROM pwless_events WHERE organization = $4 AND id > $1 AND id < $2"
        " ORDER BY id DESC LIMIT 1 OFFSET $3",
        postgres="SELECT id FROM pwless_events WHERE organization IS NOT NULL"
        " AND (organization, id) > ($4, $1) AND (organization, id) < ($4, $2)"
        " ORDER BY organization DESC, id DESC LIMIT 1 OFFSET $3",
    ),
    "method": Statement(
        "SELECT id FROM pwless_events WHERE method = $4 AND id > $1 AND id < $2"
        " ORDER BY id DESC LIMIT 1 OFFSET $3",
        postgres="SELECT id FROM pwless_events WHERE method IS NOT NULL"
        " AND (method, id) > ($4, $1) AND (method, id) < ($4, $2)"
        " ORDER BY method DESC, id DESC LIMIT 1 OFFSET $3",
    ),
    "country": Statement(
        "SELECT id FROM pwless_events WHERE country = $4 AND id > $1 AND id < $2"
        " ORDER BY id DESC LIMIT 1 OFFSET $3",
        postgres="SELECT id FROM pwless_events WHERE country IS NOT NULL"
        " AND (country, id) > ($4, $1) AND (country, id) < ($4, $2)"
        " ORDER BY country DESC, id DESC LIMIT 1 OFFSET $3",
    ),
}
"""The id of the event that is so many places before another one, by an index alone."""

RECENT: Final = Statement("SELECT id FROM pwless_events WHERE id > $1 ORDER BY id DESC LIMIT $2")
SOME_OF_USER = Statement("SELECT id FROM pwless_events WHERE user_id = $1 ORDER BY id LIMIT $2")
SOME_OF_ADDRESS = Statement(
    "SELECT id FROM pwless_events WHERE address = $1 AND user_id IS NULL ORDER BY id LIMIT $2"
)
SCRUB_ATTEMPTS = Statement(
    "UPDATE pwless_events SET client = NULL, device = NULL, country = NULL,"
    " caller = CASE WHEN substr(caller, 1, 8) = 'step_up:'"
    " OR substr(caller, 1, 15) = 'address_change:' THEN 'browser' ELSE caller END"
    " WHERE attempt IN (SELECT attempt FROM pwless_events"
    " WHERE id IN (SELECT value FROM json_each($1)))",
    postgres="UPDATE pwless_events SET client = NULL, device = NULL, country = NULL,"
    " caller = CASE WHEN substr(caller, 1, 8) = 'step_up:'"
    " OR substr(caller, 1, 15) = 'address_change:' THEN 'browser' ELSE caller END"
    " WHERE attempt IN (SELECT attempt FROM pwless_events WHERE id IN"
    " (SELECT CAST(json_array_elements_text(CAST(CAST($1 AS TEXT) AS JSON)) AS BIGINT)))",
)
SCRUB = Statement(
    "UPDATE pwless_events SET user_id = $2, address = NULL, email = NULL, session = NULL,"
    " client = NULL, device = NULL, country = NULL, details = NULL,"
    " caller = CASE WHEN substr(caller, 1, 8) = 'step_up:'"
    " OR substr(caller, 1, 15) = 'address_change:' THEN 'browser' ELSE caller END"
    " WHERE id IN (SELECT value FROM json_each($1))",
    postgres="UPDATE pwless_events SET user_id = $2, address = NULL, email = NULL, session = NULL,"
    " client = NULL, device = NULL, country = NULL, details = NULL,"
    " caller = CASE WHEN substr(caller, 1, 8) = 'step_up:'"
    " OR substr(caller, 1, 15) = 'address_change:' THEN 'browser' ELSE caller END"
    " WHERE id IN"
    " (SELECT CAST(json_array_elements_text(CAST(CAST($1 AS TEXT) AS JSON)) AS BIGINT))",
)
SCRUB_OPERATOR = Statement("UPDATE pwless_events SET performed_by = $2 WHERE performed_by = $1")

DELETE_SOME = Statement(
    "DELETE FROM pwless_events WHERE id IN"
    " (SELECT id FROM pwless_events WHERE id < $1 ORDER BY id LIMIT $2) RETURNING id"
)
DELETE_COUNTS = Statement("DELETE FROM pwless_event_counts WHERE hour < $1")
