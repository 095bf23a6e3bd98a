"""Official SDKs of four languages, unmodified, make one scripted tour against a running emulator."""
