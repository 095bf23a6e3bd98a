"""Programs that try to break the emulator for a given time; each has a short form among the tests."""
