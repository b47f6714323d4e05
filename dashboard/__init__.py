"""The dashboard: live wall, inbox, set-up pages and the REST API."""
