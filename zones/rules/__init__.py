"""Rule kinds: one file each, holding the specification and its state machine."""
