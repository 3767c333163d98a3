"""`dispatcher keys …`."""
