"""The pages and the API, one subject per file."""

from dashboard.routes import alerts, live, login

PAGES = (login.router, live.router, alerts.router)
"""Every router of the application; a new file is added here."""
