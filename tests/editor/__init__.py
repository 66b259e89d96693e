"""Help in editors: the schemas, and what the real language server makes of them."""
