"""Seed documents: the initial contents of a world, in the API's own words."""
