"""Floor 3, settlement: from the close of a range of the log to a final header on chain, and the exports.

Owns the cycle (look at books and chain, do the next due step; safe to rerun after any crash) and its worker; imports
store, chain and core. Decided against: a state machine kept beside the chain's own state, which could disagree with it.
"""
