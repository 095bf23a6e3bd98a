"""Isolated universes: storage, time, identifiers and pending changes. Depends on nothing else of the emulator."""
