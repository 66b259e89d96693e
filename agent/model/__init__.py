"""The nouns: frozen dataclasses without I/O, clock or randomness. Everything else speaks in them."""
