"""The liability report of a settlement: as a route over the books' own exports, and as a command over exported folders."""
