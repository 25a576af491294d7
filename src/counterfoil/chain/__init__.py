"""Floor 2, the chain: the only room that knows web3.

Owns the provider seam (the embedded chain in process, or any RPC URL), keys, the outbox and the contract as Python sees
it; imports core. What must be remembered across restarts goes through the `Memory` protocol, handed in from above.
Decided against: async web3 (the callers are workers and commands) and unlocked accounts on a node.
"""
