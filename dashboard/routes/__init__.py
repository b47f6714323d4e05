"""The pages and the API, one subject per file."""

from dashboard.routes import (
    account,
    alerts,
    api_alerts,
    api_parts,
    api_record,
    api_site,
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
    api_site.router,
    api_alerts.router,
    api_record.router,
    api_parts.router,
)
"""Every router of the application; a new file is added here."""
