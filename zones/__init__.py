"""Danger zones: geometry, rule kinds and the engine that evaluates them."""
