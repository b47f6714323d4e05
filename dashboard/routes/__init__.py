"""The pages and the API, one subject per file."""

from dashboard.routes import (
    account,
    alerts,
    audit,
    cameras,
    channels,
    evidence,
    health,
    live,
    login,
    preferences,
    rules,
    users,
    zones,
)

PAGES = (
    login.router,
    live.router,
    alerts.router,
    evidence.router,
    cameras.router,
    zones.router,
    rules.router,
    channels.router,
    health.router,
    audit.router,
    users.router,
    account.router,
    preferences.router,
)
"""Every router of the application; a new file is added here."""
