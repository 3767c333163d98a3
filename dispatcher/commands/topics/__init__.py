"""`dispatcher topics …`."""
