"""Floor 2, the books in SQL: the only room that knows a database.

Owns the tables, the posting writer, the sequencer and the queries; imports core and SQLAlchemy. One set of statements
runs on SQLite and PostgreSQL. Decided against: an ORM session in the write path (six statements an operation), balance
rows for parties (they are folds of entries), triggers and stored procedures.
"""
