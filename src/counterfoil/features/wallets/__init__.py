"""Own wallets: an account linked to a member, points withdrawn to it, what comes back, proofs of what can be claimed."""
