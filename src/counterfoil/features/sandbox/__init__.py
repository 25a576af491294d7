"""The sandbox: its test clock, its jobs, its chain as JSON-RPC."""
