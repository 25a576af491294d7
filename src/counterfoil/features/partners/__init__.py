"""Partners and their API keys, kept by the operator."""
