"""Evidence after it was made: checked against its hashes, kept and deleted, blurred for sharing."""
