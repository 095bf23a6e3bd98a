"""The names by which this machine reaches itself."""

ADDRESS = "127.0.0.1"
NAMES = ("localhost", ADDRESS, "::1")
