"""Seed documents: what a world holds at its beginning, in the API's own words."""
