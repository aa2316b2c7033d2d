"""All SQL of the store: constants, in one place (security rule 71).

    pwless_entries   records, budgets, and operations that are remembered: three spaces of keys
    pwless_jobs      the delivery queue; `lane` 1 is what was put back, `worker` who has claimed it
    pwless_dead_jobs what was given up, the newest ones
    pwless_drops     what was dropped and has to be told; its newest row always stands

A row of `pwless_entries` outlives its `until` by `sweep.KEPT_FOR`; nobody sees it meanwhile.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.statement import Statement

# --- entries -------------------------------------------------------------------------------------

READ: Final = Statement("SELECT value FROM pwless_entries WHERE key = $1 AND until > $2")

READ_LIST: Final = Statement(
    "SELECT key, value FROM pwless_entries WHERE listed = $1 AND until > $2"
)

READ_ENTRY: Final = Statement("SELECT key, value, until, listed FROM pwless_entries WHERE key = $1")

READ_ENTRIES: Final = Statement(
    "SELECT key, value, until, listed FROM pwless_entries"
    " WHERE key IN (SELECT value FROM json_each($1))",
    postgres="SELECT key, value, until, listed FROM pwless_entries"
    " WHERE key IN (SELECT json_array_elements_text($1::json))",
)

PUT: Final = Statement(
    "INSERT INTO pwless_entries (key, value, until, listed) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (key) DO UPDATE SET"
    " value = excluded.value, until = excluded.until, listed = excluded.listed"
)

DELETE: Final = Statement("DELETE FROM pwless_entries WHERE key = $1")

WRITE_ALL: Final = Statement(
    "",
    postgres="WITH put AS (INSERT INTO pwless_entries (key, value, until, listed)"
    " SELECT key, decode(value, 'hex'), until, listed FROM json_to_recordset($1::json)"
    " AS entry (key text, value text, until bigint, listed text) ORDER BY key"
    " ON CONFLICT (key) DO UPDATE SET"
    " value = excluded.value, until = excluded.until, listed = excluded.listed),"
    " removed AS (DELETE FROM pwless_entries"
    " WHERE key IN (SELECT json_array_elements_text($2::json))),"
    " queued AS (INSERT INTO pwless_jobs (payload, due, queued)"
    " SELECT decode(job ->> 0, 'hex'), (job ->> 1)::bigint, (job ->> 1)::bigint"
    " FROM json_array_elements($3::json) WITH ORDINALITY AS each (job, number) ORDER BY number),"
    " told AS (INSERT INTO pwless_drops (id, key)"
    " SELECT number + COALESCE((SELECT MAX(id) FROM pwless_drops), 0), key"
    " FROM json_array_elements_text($4::json) WITH ORDINALITY AS each (key, number))"
    " SELECT pg_notify('pwless_drops', key) FROM json_array_elements_text($4::json) AS each (key)",
)
"""All that a verb writes, in one round trip: entries, keys to remove, jobs, drops to tell."""

SWEEP: Final = Statement(
    "DELETE FROM pwless_entries WHERE key IN"
    " (SELECT key FROM pwless_entries WHERE until <= $1 LIMIT $2) RETURNING 1",
    postgres="WITH ended AS MATERIALIZED (SELECT key FROM pwless_entries WHERE until <= $1"
    " LIMIT $2 FOR UPDATE SKIP LOCKED)"
    " DELETE FROM pwless_entries AS entry USING ended WHERE entry.key = ended.key RETURNING 1",
)

# --- drops ---------------------------------------------------------------------------------------

DROPPED: Final = Statement("INSERT INTO pwless_drops (key) VALUES ($1)")

LAST_DROP: Final = Statement("SELECT MAX(id) FROM pwless_drops")

DROPS_FROM: Final = Statement("SELECT id, key FROM pwless_drops WHERE id >= $1 ORDER BY id")

SWEEP_DROPS: Final = Statement(
    "DELETE FROM pwless_drops WHERE id <= (SELECT MAX(id) FROM pwless_drops) - $1"
)

PUBLISH_ECHO: Final = Statement("", postgres="SELECT pg_notify('pwless_drops', $1)")

# --- jobs ----------------------------------------------------------------------------------------

COUNT_JOBS: Final = Statement(
    "SELECT COUNT(*) FROM (SELECT 1 FROM pwless_jobs LIMIT $1) AS waiting"
)

ADD_JOB: Final = Statement("INSERT INTO pwless_jobs (payload, due, queued) VALUES ($1, $2, $2)")

HAS_DUE: Final = Statement(
    "SELECT 1 FROM pwless_jobs WHERE lane IN (0, 1) AND due <= $1 AND (worker IS NULL"
    " OR until <= $1 OR seen <= CAST(strftime('%s', 'now') AS INTEGER) - $2) LIMIT 1",
    postgres="SELECT 1 FROM pwless_jobs WHERE lane IN (0, 1) AND due <= $1 AND (worker IS NULL"
    " OR until <= $1 OR seen <= EXTRACT(EPOCH FROM clock_timestamp())::bigint - $2) LIMIT 1",
)
"""Whether a job is due and free: never claimed, its claim lapsed, or its worker silent."""

CLAIM: Final = Statement(
    "UPDATE pwless_jobs SET worker = $1, until = $2,"
    " seen = CAST(strftime('%s', 'now') AS INTEGER)"
    " WHERE id IN (SELECT id FROM pwless_jobs WHERE lane IN (0, 1) AND due <= $3"
    " AND (worker IS NULL OR until <= $3"
    " OR seen <= CAST(strftime('%s', 'now') AS INTEGER) - $4)"
    " ORDER BY lane, due, id LIMIT $5)"
    " RETURNING lane, due, id, payload, tries, queued, reason",
    postgres="WITH free AS MATERIALIZED (SELECT id FROM pwless_jobs WHERE lane IN (0, 1)"
    " AND due <= $3 AND (worker IS NULL OR until <= $3"
    " OR seen <= EXTRACT(EPOCH FROM clock_timestamp())::bigint - $4)"
    " ORDER BY lane, due, id LIMIT $5 FOR UPDATE SKIP LOCKED)"
    " UPDATE pwless_jobs AS job SET worker = $1, until = $2,"
    " seen = EXTRACT(EPOCH FROM clock_timestamp())::bigint"
    " FROM free WHERE job.id = free.id"
    " RETURNING job.lane, job.due, job.id, job.payload, job.tries, job.queued, job.reason",
)
"""Claim jobs; the rows come in any order, and sort as they are to be handed out."""

HOLD: Final = Statement(
    "UPDATE pwless_jobs SET seen = CAST(strftime('%s', 'now') AS INTEGER)"
    " WHERE worker = $1 AND id IN (SELECT value FROM json_each($2))",
    postgres="UPDATE pwless_jobs SET seen = EXTRACT(EPOCH FROM clock_timestamp())::bigint"
    " WHERE worker = $1"
    " AND id IN (SELECT id::bigint FROM json_array_elements_text($2::json) AS each (id))",
)

GIVE_BACK: Final = Statement("UPDATE pwless_jobs SET worker = NULL, until = 0 WHERE worker = $1")

COMPLETE: Final = Statement(
    "DELETE FROM pwless_jobs WHERE id IN (SELECT value FROM json_each($1))",
    postgres="DELETE FROM pwless_jobs"
    " WHERE id IN (SELECT id::bigint FROM json_array_elements_text($1::json) AS each (id))",
)

RETRY: Final = Statement(
    "UPDATE pwless_jobs SET lane = 1, due = $1, tries = $2, reason = $3, worker = NULL, until = 0"
    " WHERE id = $4 AND worker = $5"
)

DELETE_CLAIMED: Final = Statement(
    "DELETE FROM pwless_jobs WHERE id = $1 AND worker = $2 RETURNING payload, queued"
)

BURY: Final = Statement(
    "INSERT INTO pwless_dead_jobs (job, payload, tries, reason, queued, buried)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)

FORGET_DEAD: Final = Statement(
    "DELETE FROM pwless_dead_jobs WHERE id <= (SELECT MAX(id) FROM pwless_dead_jobs) - $1"
)

# --- jobs, for people ----------------------------------------------------------------------------

COUNT_ALL_JOBS: Final = Statement(
    "SELECT COUNT(*), COUNT(CASE WHEN due <= $1 AND (worker IS NULL OR until <= $1"
    " OR seen <= CAST(strftime('%s', 'now') AS INTEGER) - $2) THEN 1 END),"
    " MIN(NULLIF(queued, 0)), (SELECT COUNT(*) FROM pwless_dead_jobs) FROM pwless_jobs",
    postgres="SELECT COUNT(*), COUNT(CASE WHEN due <= $1 AND (worker IS NULL OR until <= $1"
    " OR seen <= EXTRACT(EPOCH FROM clock_timestamp())::bigint - $2) THEN 1 END),"
    " MIN(NULLIF(queued, 0)), (SELECT COUNT(*) FROM pwless_dead_jobs) FROM pwless_jobs",
)
"""A row for each job that waits, of which there are as many as the queue's bound has it."""

LIST_WAITING: Final = Statement(
    "SELECT id, payload, tries, queued, reason, due, worker IS NOT NULL AND until > $3"
    " AND seen > CAST(strftime('%s', 'now') AS INTEGER) - $4"
    " FROM pwless_jobs WHERE id > $1 ORDER BY id LIMIT $2",
    postgres="SELECT id, payload, tries, queued, reason, due, worker IS NOT NULL AND until > $3"
    " AND seen > EXTRACT(EPOCH FROM clock_timestamp())::bigint - $4"
    " FROM pwless_jobs WHERE id > $1 ORDER BY id LIMIT $2",
)

LIST_DEAD: Final = Statement(
    "SELECT id, payload, tries, queued, reason, buried FROM pwless_dead_jobs"
    " WHERE id < $1 ORDER BY id DESC LIMIT $2"
)

BRING_FORWARD: Final = Statement(
    "UPDATE pwless_jobs SET due = $1, tries = 0, reason = ''"
    " WHERE id IN (SELECT value FROM json_each($2)) AND due > $1 AND worker IS NULL RETURNING 1",
    postgres="UPDATE pwless_jobs SET due = $1, tries = 0, reason = '' WHERE id IN"
    " (SELECT id::bigint FROM json_array_elements_text($2::json) AS each (id))"
    " AND due > $1 AND worker IS NULL RETURNING 1",
)
"""Have jobs tried now that wait for a later try."""

TAKE_DEAD: Final = Statement(
    "DELETE FROM pwless_dead_jobs WHERE id IN (SELECT value FROM json_each($1))"
    " RETURNING id, payload, queued",
    postgres="DELETE FROM pwless_dead_jobs WHERE id IN"
    " (SELECT id::bigint FROM json_array_elements_text($1::json) AS each (id))"
    " RETURNING id, payload, queued",
)

ADD_AGAIN: Final = Statement(
    "INSERT INTO pwless_jobs (payload, lane, due, queued) VALUES ($1, 1, $2, $3)"
)

DROP_WAITING: Final = Statement(
    "DELETE FROM pwless_jobs WHERE id IN (SELECT value FROM json_each($1)) RETURNING 1",
    postgres="DELETE FROM pwless_jobs WHERE id IN"
    " (SELECT id::bigint FROM json_array_elements_text($1::json) AS each (id)) RETURNING 1",
)
