"""Programs that try to break the emulator for a given time; each has a short form among the tests."""

import signal
import sys

if sys.argv[0] == "-m":  # a program is loaded, which takes seconds: until `main` is there, ctrl+c ends it silently
    signal.signal(signal.SIGINT, signal.SIG_DFL)
