"""Bringing programs here that name no endpoint: a proxy for the service's own host names, and what trusts it."""
