"""Alerts: sirens first, then the outbox, its dispatcher and the channels."""
