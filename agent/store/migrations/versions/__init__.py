"""One file a revision of the tables; each is final once released."""
