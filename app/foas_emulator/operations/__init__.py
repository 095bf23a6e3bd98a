"""What the service means: one package per group of its API."""
