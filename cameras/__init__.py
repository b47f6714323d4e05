"""Cameras: sources, packet ring, health, and the shard processes that analyse them."""
