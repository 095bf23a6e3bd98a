"""`python -m foas_emulator`."""

from foas_emulator.cli import main

main()
