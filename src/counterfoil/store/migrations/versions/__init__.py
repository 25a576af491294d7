"""One file a revision; the first stands for the first release's tables."""
