"""Attempts: one row for all events of a login, so that its outcome is found without reading them.

Those that were recorded before are made of their events, as `core.events.attempt` does it.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement

ATTEMPTS: Final = Migration(
    "attempts",
    (
        Statement("ALTER TABLE pwless_events ADD COLUMN country TEXT"),
        Statement(
            "CREATE INDEX pwless_events_by_method ON pwless_events (method, id)"
            " WHERE method IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_events_by_country ON pwless_events (country, id)"
            " WHERE country IS NOT NULL"
        ),
        Statement(
            "CREATE TABLE pwless_attempts ("
            " name TEXT PRIMARY KEY,"
            " first BIGINT NOT NULL,"
            " last BIGINT NOT NULL,"
            " outcome TEXT NOT NULL,"
            " reason TEXT,"
            " weight BIGINT NOT NULL,"
            " decided_by BIGINT NOT NULL,"
            " user_id TEXT,"
            " organization TEXT,"
            " address TEXT,"
            " email TEXT,"
            " caller TEXT,"
            " method TEXT,"
            " step TEXT,"
            " country TEXT,"
            " device TEXT)"
        ),
        Statement(
            "WITH told AS (SELECT id, attempt, kind, reason, user_id, organization, address, email,"
            " caller, country, device, method, numbers,"
            " CASE WHEN reason = 'superseded' THEN 0"
            " WHEN kind IN ('session.created', 'session.renewed') THEN 3"
            " WHEN kind = 'mail.suppressed' THEN 2"
            " WHEN kind IN ('send.requested', 'resend.requested', 'mail.sent', 'mail.deferred',"
            " 'mail.failed', 'sms.deferred', 'sms.failed', 'sms.undelivered', 'limit.reached',"
            " 'code.wrong', 'login.refused', 'passkey.refused', 'login.verified', 'step.required',"
            " 'step.wrong') THEN 1 ELSE 0 END AS weight"
            " FROM pwless_events WHERE attempt IS NOT NULL),"
            " ranked AS (SELECT told.*,"
            " ROW_NUMBER() OVER (PARTITION BY attempt ORDER BY weight DESC, id DESC) AS place"
            " FROM told),"
            " decided AS (SELECT attempt, id, kind, reason, weight FROM ranked WHERE place = 1),"
            " whole AS (SELECT attempt, MIN(id) AS first, MAX(id) AS last,"
            " MAX(user_id) AS user_id, MAX(organization) AS organization, MAX(address) AS address,"
            " MAX(email) AS email, MAX(caller) AS caller, MAX(country) AS country,"
            " MAX(device) AS device,"
            " MAX(CASE WHEN kind = 'login.verified' THEN method END) AS method,"
            " MAX(CASE WHEN kind IN ('step.wrong', 'step.verified') THEN method END) AS step"
            " FROM told GROUP BY attempt)"
            " INSERT INTO pwless_attempts (name, first, last, outcome, reason, weight, decided_by,"
            " user_id, organization, address, email, caller, method, step, country, device)"
            " SELECT whole.attempt, whole.first, whole.last,"
            " CASE WHEN decided.weight = 0 THEN 'asked' ELSE CASE decided.kind"
            " WHEN 'mail.sent' THEN 'sent'"
            " WHEN 'mail.deferred' THEN 'delayed'"
            " WHEN 'sms.deferred' THEN 'delayed'"
            " WHEN 'mail.failed' THEN 'not_delivered'"
            " WHEN 'sms.failed' THEN 'not_delivered'"
            " WHEN 'sms.undelivered' THEN 'not_delivered'"
            " WHEN 'mail.suppressed' THEN 'not_sent'"
            " WHEN 'limit.reached' THEN 'limited'"
            " WHEN 'code.wrong' THEN 'wrong_code'"
            " WHEN 'login.refused' THEN 'refused'"
            " WHEN 'passkey.refused' THEN 'refused'"
            " WHEN 'login.verified' THEN 'verified'"
            " WHEN 'step.required' THEN 'step_open'"
            " WHEN 'step.wrong' THEN 'wrong_step'"
            " WHEN 'session.created' THEN 'signed_in'"
            " WHEN 'session.renewed' THEN 'confirmed'"
            " ELSE 'asked' END END,"
            " CASE WHEN decided.weight > 0 THEN decided.reason END, decided.weight,"
            " CASE WHEN decided.weight > 0 THEN decided.id ELSE 0 END,"
            " whole.user_id, whole.organization, whole.address, whole.email, whole.caller,"
            " whole.method, whole.step, whole.country, whole.device"
            " FROM whole JOIN decided ON decided.attempt = whole.attempt"
        ),
        Statement("CREATE INDEX pwless_attempts_by_time ON pwless_attempts (first)"),
        Statement("CREATE INDEX pwless_attempts_by_outcome ON pwless_attempts (outcome, first)"),
        Statement(
            "CREATE INDEX pwless_attempts_by_user ON pwless_attempts (user_id, first)"
            " WHERE user_id IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_attempts_by_address ON pwless_attempts (address, first)"
            " WHERE address IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_attempts_by_organization ON pwless_attempts (organization, first)"
            " WHERE organization IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_attempts_by_method ON pwless_attempts (method, first)"
            " WHERE method IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_attempts_by_step ON pwless_attempts (step, first)"
            " WHERE step IS NOT NULL"
        ),
        Statement(
            "CREATE INDEX pwless_attempts_by_country ON pwless_attempts (country, first)"
            " WHERE country IS NOT NULL"
        ),
    ),
)

EVENTS_BY_SESSION: Final = Migration(
    "events by session",
    (
        Statement(
            "CREATE INDEX pwless_events_by_session ON pwless_events (session, id)"
            " WHERE session IS NOT NULL"
        ),
    ),
)
"""What became of the session that a login began."""
