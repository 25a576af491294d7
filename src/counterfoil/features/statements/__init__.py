"""A partner's entries and statements: its own rows, never another's."""
