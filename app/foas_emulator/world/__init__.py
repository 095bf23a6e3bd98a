"""Isolated universes: storage, time, identifiers and changes to come. Depends on nothing else of the emulator."""
