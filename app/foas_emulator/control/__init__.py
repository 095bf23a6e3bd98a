"""The emulator's own API under `/_emulator`: health, worlds, time. It is thin: the work is done in the layers below."""
