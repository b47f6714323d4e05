"""Channels: one file each, holding the specification and its driver."""
