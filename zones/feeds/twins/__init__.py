"""Simulated machines and vehicles that speak the plant's protocols."""
