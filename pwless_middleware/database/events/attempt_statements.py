"""The SQL of attempts, all of it. The columns of a row stand in the order of `attempts`."""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement

# What `core.events.attempt.merge` does, in the database: others may have written since anybody
# read.
WRITE: Final = Statement(
    "INSERT INTO pwless_attempts (name, first, last, outcome, reason, weight, decided_by,"
    " user_id, organization, address, email, caller, method, step, country, device)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),"
    " json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'),"
    " json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),"
    " json_extract(value, '$[12]'), json_extract(value, '$[13]'), json_extract(value, '$[14]'),"
    " json_extract(value, '$[15]') FROM json_each($1) WHERE true"
    " ON CONFLICT (name) DO UPDATE SET"
    " first = CASE WHEN excluded.first < pwless_attempts.first THEN excluded.first"
    " ELSE pwless_attempts.first END,"
    " last = CASE WHEN excluded.last > pwless_attempts.last THEN excluded.last"
    " ELSE pwless_attempts.last END,"
    " outcome = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.outcome"
    " ELSE pwless_attempts.outcome END,"
    " reason = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.reason"
    " ELSE pwless_attempts.reason END,"
    " weight = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.weight"
    " ELSE pwless_attempts.weight END,"
    " decided_by = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.decided_by"
    " ELSE pwless_attempts.decided_by END,"
    " user_id = COALESCE(pwless_attempts.user_id, excluded.user_id),"
    " organization = COALESCE(pwless_attempts.organization, excluded.organization),"
    " address = COALESCE(pwless_attempts.address, excluded.address),"
    " email = COALESCE(pwless_attempts.email, excluded.email),"
    " caller = COALESCE(pwless_attempts.caller, excluded.caller),"
    " method = COALESCE(pwless_attempts.method, excluded.method),"
    " step = CASE WHEN excluded.step IS NOT NULL AND excluded.last > pwless_attempts.last"
    " THEN excluded.step ELSE COALESCE(pwless_attempts.step, excluded.step) END,"
    " country = COALESCE(pwless_attempts.country, excluded.country),"
    " device = COALESCE(pwless_attempts.device, excluded.device)",
    postgres="INSERT INTO pwless_attempts (name, first, last, outcome, reason, weight, decided_by,"
    " user_id, organization, address, email, caller, method, step, country, device)"
    " SELECT r->>0, CAST(r->>1 AS BIGINT), CAST(r->>2 AS BIGINT), r->>3, r->>4,"
    " CAST(r->>5 AS BIGINT), CAST(r->>6 AS BIGINT), r->>7, r->>8, r->>9, r->>10, r->>11, r->>12,"
    " r->>13, r->>14, r->>15"
    " FROM json_array_elements(CAST(CAST($1 AS TEXT) AS JSON)) AS r"
    " ON CONFLICT (name) DO UPDATE SET"
    " first = CASE WHEN excluded.first < pwless_attempts.first THEN excluded.first"
    " ELSE pwless_attempts.first END,"
    " last = CASE WHEN excluded.last > pwless_attempts.last THEN excluded.last"
    " ELSE pwless_attempts.last END,"
    " outcome = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.outcome"
    " ELSE pwless_attempts.outcome END,"
    " reason = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.reason"
    " ELSE pwless_attempts.reason END,"
    " weight = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.weight"
    " ELSE pwless_attempts.weight END,"
    " decided_by = CASE WHEN (excluded.weight, excluded.decided_by)"
    " > (pwless_attempts.weight, pwless_attempts.decided_by) THEN excluded.decided_by"
    " ELSE pwless_attempts.decided_by END,"
    " user_id = COALESCE(pwless_attempts.user_id, excluded.user_id),"
    " organization = COALESCE(pwless_attempts.organization, excluded.organization),"
    " address = COALESCE(pwless_attempts.address, excluded.address),"
    " email = COALESCE(pwless_attempts.email, excluded.email),"
    " caller = COALESCE(pwless_attempts.caller, excluded.caller),"
    " method = COALESCE(pwless_attempts.method, excluded.method),"
    " step = CASE WHEN excluded.step IS NOT NULL AND excluded.last > pwless_attempts.last"
    " THEN excluded.step ELSE COALESCE(pwless_attempts.step, excluded.step) END,"
    " country = COALESCE(pwless_attempts.country, excluded.country),"
    " device = COALESCE(pwless_attempts.device, excluded.device)",
)
READ: Final = Statement(
    "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
    " address, email, caller, method, step, country, device FROM pwless_attempts"
    " WHERE name = $1"
)

# A search goes through the index of what leads, and looks at the rest row by row, but only as far
# back as `REACH` says. PostgreSQL compares pairs, so that no plan of it can go through all by time
# instead, to find what is rare. Its values: after, before, outcome, organization, method, country,
# limit, and what leads; an empty text is none.
SEARCH: Final = {
    "": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7"
    ),
    "outcome": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE outcome = $8"
        " AND first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7",
        postgres="SELECT name, first, last, outcome, reason, weight, decided_by, user_id,"
        " organization, address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE outcome IS NOT NULL"
        " AND (outcome, first) > ($8, $1) AND (outcome, first) < ($8, $2)"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY outcome DESC, first DESC LIMIT $7",
    ),
    "user_id": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE user_id = $8"
        " AND first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7",
        postgres="SELECT name, first, last, outcome, reason, weight, decided_by, user_id,"
        " organization, address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE user_id IS NOT NULL"
        " AND (user_id, first) > ($8, $1) AND (user_id, first) < ($8, $2)"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY user_id DESC, first DESC LIMIT $7",
    ),
    "address": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE address = $8"
        " AND first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7",
        postgres="SELECT name, first, last, outcome, reason, weight, decided_by, user_id,"
        " organization, address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE address IS NOT NULL"
        " AND (address, first) > ($8, $1) AND (address, first) < ($8, $2)"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY address DESC, first DESC LIMIT $7",
    ),
    "organization": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE organization = $8"
        " AND first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7",
        postgres="SELECT name, first, last, outcome, reason, weight, decided_by, user_id,"
        " organization, address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE organization IS NOT NULL"
        " AND (organization, first) > ($8, $1) AND (organization, first) < ($8, $2)"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY organization DESC, first DESC LIMIT $7",
    ),
    "method": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE method = $8"
        " AND first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7",
        postgres="SELECT name, first, last, outcome, reason, weight, decided_by, user_id,"
        " organization, address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE method IS NOT NULL"
        " AND (method, first) > ($8, $1) AND (method, first) < ($8, $2)"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY method DESC, first DESC LIMIT $7",
    ),
    "step": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE step = $8"
        " AND first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7",
        postgres="SELECT name, first, last, outcome, reason, weight, decided_by, user_id,"
        " organization, address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE step IS NOT NULL"
        " AND (step, first) > ($8, $1) AND (step, first) < ($8, $2)"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY step DESC, first DESC LIMIT $7",
    ),
    "country": Statement(
        "SELECT name, first, last, outcome, reason, weight, decided_by, user_id, organization,"
        " address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE country = $8"
        " AND first > $1 AND first < $2"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY first DESC LIMIT $7",
        postgres="SELECT name, first, last, outcome, reason, weight, decided_by, user_id,"
        " organization, address, email, caller, method, step, country, device FROM pwless_attempts"
        " WHERE country IS NOT NULL"
        " AND (country, first) > ($8, $1) AND (country, first) < ($8, $2)"
        " AND ($3 = '' OR outcome = $3) AND ($4 = '' OR organization = $4)"
        " AND ($5 = '' OR method = $5 OR step = $5) AND ($6 = '' OR country = $6)"
        " ORDER BY country DESC, first DESC LIMIT $7",
    ),
}
REACH: Final = {
    "": Statement(
        "SELECT first FROM pwless_attempts WHERE first > $1 AND first < $2"
        " ORDER BY first DESC LIMIT 1 OFFSET $3"
    ),
    "outcome": Statement(
        "SELECT first FROM pwless_attempts WHERE outcome = $4"
        " AND first > $1 AND first < $2 ORDER BY first DESC LIMIT 1 OFFSET $3",
        postgres="SELECT first FROM pwless_attempts WHERE outcome IS NOT NULL"
        " AND (outcome, first) > ($4, $1) AND (outcome, first) < ($4, $2)"
        " ORDER BY outcome DESC, first DESC LIMIT 1 OFFSET $3",
    ),
    "user_id": Statement(
        "SELECT first FROM pwless_attempts WHERE user_id = $4"
        " AND first > $1 AND first < $2 ORDER BY first DESC LIMIT 1 OFFSET $3",
        postgres="SELECT first FROM pwless_attempts WHERE user_id IS NOT NULL"
        " AND (user_id, first) > ($4, $1) AND (user_id, first) < ($4, $2)"
        " ORDER BY user_id DESC, first DESC LIMIT 1 OFFSET $3",
    ),
    "address": Statement(
        "SELECT first FROM pwless_attempts WHERE address = $4"
        " AND first > $1 AND first < $2 ORDER BY first DESC LIMIT 1 OFFSET $3",
        postgres="SELECT first FROM pwless_attempts WHERE address IS NOT NULL"
        " AND (address, first) > ($4, $1) AND (address, first) < ($4, $2)"
        " ORDER BY address DESC, first DESC LIMIT 1 OFFSET $3",
    ),
    "organization": Statement(
        "SELECT first FROM pwless_attempts WHERE organization = $4"
        " AND first > $1 AND first < $2 ORDER BY first DESC LIMIT 1 OFFSET $3",
        postgres="SELECT first FROM pwless_attempts WHERE organization IS NOT NULL"
        " AND (organization, first) > ($4, $1) AND (organization, first) < ($4, $2)"
        " ORDER BY organization DESC, first DESC LIMIT 1 OFFSET $3",
    ),
    "method": Statement(
        "SELECT first FROM pwless_attempts WHERE method = $4"
        " AND first > $1 AND first < $2 ORDER BY first DESC LIMIT 1 OFFSET $3",
        postgres="SELECT first FROM pwless_attempts WHERE method IS NOT NULL"
        " AND (method, first) > ($4, $1) AND (method, first) < ($4, $2)"
        " ORDER BY method DESC, first DESC LIMIT 1 OFFSET $3",
    ),
    "step": Statement(
        "SELECT first FROM pwless_attempts WHERE step = $4"
        " AND first > $1 AND first < $2 ORDER BY first DESC LIMIT 1 OFFSET $3",
        postgres="SELECT first FROM pwless_attempts WHERE step IS NOT NULL"
        " AND (step, first) > ($4, $1) AND (step, first) < ($4, $2)"
        " ORDER BY step DESC, first DESC LIMIT 1 OFFSET $3",
    ),
    "country": Statement(
        "SELECT first FROM pwless_attempts WHERE country = $4"
        " AND first > $1 AND first < $2 ORDER BY first DESC LIMIT 1 OFFSET $3",
        postgres="SELECT first FROM pwless_attempts WHERE country IS NOT NULL"
        " AND (country, first) > ($4, $1) AND (country, first) < ($4, $2)"
        " ORDER BY country DESC, first DESC LIMIT 1 OFFSET $3",
    ),
}
"""The number of the attempt that is so many places before another one, by an index alone."""

DELETE_SOME: Final = Statement(
    "DELETE FROM pwless_attempts WHERE name IN"
    " (SELECT name FROM pwless_attempts WHERE first < $1 ORDER BY first LIMIT $2) RETURNING name"
)
SCRUB: Final = Statement(
    "UPDATE pwless_attempts SET address = NULL, email = NULL, device = NULL, country = NULL,"
    " user_id = CASE WHEN user_id IS NULL OR user_id = $2 THEN $3 ELSE user_id END,"
    " caller = CASE WHEN substr(caller, 1, 8) = 'step_up:'"
    " OR substr(caller, 1, 15) = 'address_change:' THEN 'browser' ELSE caller END"
    " WHERE name IN (SELECT attempt FROM pwless_events"
    " WHERE id IN (SELECT value FROM json_each($1)))",
    postgres="UPDATE pwless_attempts SET address = NULL, email = NULL, device = NULL,"
    " country = NULL,"
    " user_id = CASE WHEN user_id IS NULL OR user_id = $2 THEN $3 ELSE user_id END,"
    " caller = CASE WHEN substr(caller, 1, 8) = 'step_up:'"
    " OR substr(caller, 1, 15) = 'address_change:' THEN 'browser' ELSE caller END"
    " WHERE name IN (SELECT attempt FROM pwless_events WHERE id IN"
    " (SELECT CAST(json_array_elements_text(CAST(CAST($1 AS TEXT) AS JSON)) AS BIGINT)))",
)
