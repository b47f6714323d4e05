"""Rules on what has been recorded: what would have fired, before it wakes anybody."""
