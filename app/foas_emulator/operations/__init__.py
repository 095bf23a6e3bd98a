"""The behaviour of the service: one package for each group of its API."""
