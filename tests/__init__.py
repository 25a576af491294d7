"""The tests, by floor; `tests.postgres` also serves scripts/bench."""
