"""How well the whole chain does on scenes whose truth is known."""
