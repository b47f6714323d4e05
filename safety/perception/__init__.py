"""Perception: networks, their pre- and post-processing, and tracking."""
