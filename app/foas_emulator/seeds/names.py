"""The names of built-in seeds. Imports nothing, because the command line completes them."""

MADE = "five-thousand"
"""The built-in seed that is generated on use; the others are files."""
BUILT_IN = ("default", "empty", "everything-running", "all-failed", "night-shift", MADE)
"""Seeds that are part of the emulator and given by name."""
