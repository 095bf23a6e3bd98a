"""The account that makes all calls."""

ACCOUNT = "239960377092765296"
"""The documented Starter. The emulator has one account; access keys only select a world."""
