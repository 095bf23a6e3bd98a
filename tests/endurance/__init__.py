"""Programs that try to break the emulator, for as long as they are told; each has a short form among the tests."""
