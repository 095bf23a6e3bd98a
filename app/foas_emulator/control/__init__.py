"""The emulator's own API under `/_emulator`: health, worlds, time. Thin: everything it does lives below it."""
