"""The account in whose name everything is done."""

ACCOUNT = "239960377092765296"
"""The documented Starter. The emulator knows one account; access keys only choose a world."""
