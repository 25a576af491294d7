"""Floor 3, the gateway: what every route needs: who calls, how an answer and a problem look, what is measured.

Imports store, chain and core. Decided against: commits in dependencies after `yield` (that code runs after the answer
is sent) and a middleware per concern (one ASGI layer does request id, log and metrics).
"""
