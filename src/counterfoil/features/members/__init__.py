"""Members: made known by a partner, their balance, lots and history."""
