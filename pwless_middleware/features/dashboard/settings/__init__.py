"""The settings of the dashboard: what holds, where it comes from, and what a change would do.

A change is looked at before it is made: the form of a group leads to a page that says from what to
what, whom it affects and whether it is less strict, and only that page's button makes it. Every
form carries the version of the settings that it was shown for, so that of two operators who change
one setting the second is told what the first has set (`Settings.set(..., seen=)`).
"""

from __future__ import annotations

from pwless_middleware.features.dashboard.settings.section import SettingsSection

__all__ = ["SettingsSection"]
