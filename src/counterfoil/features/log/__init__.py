"""The log as C2SP tlog-tiles with signed checkpoints."""
