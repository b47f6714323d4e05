"""Incidents and accidents: what they are, when the law wants what, and files of them."""
