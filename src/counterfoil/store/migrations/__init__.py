"""Alembic's revisions, inside the package so that `open_books` can bring any database up to date."""
