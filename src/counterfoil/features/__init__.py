"""Floor 4, features: one folder per thing a user sees, each with routes.py and, where it has some, pure rules.py.

A feature is one folder, its test mirror and one line in app.py. Features never import each other.
"""
