"""Floor 6, rehearsal: scenario files and the replay of histories, over HTTP only.

Owns the grammar of scenario files, the runner and the year's replay. It starts a gateway like any other and talks to it
as partners, operator and auditor do; it knows no table and no rule.
"""
