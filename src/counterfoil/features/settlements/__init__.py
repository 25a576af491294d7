"""Settlements: close, headers, signatures, a partner's own rows, exports, the rulebook."""
