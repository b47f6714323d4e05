"""Anjeon: a supplementary safety monitor for factory floors."""

__version__ = "0.1.0"
