"""Redirect programs that name no endpoint to the emulator: a proxy for the service's host names, and trust in it."""
