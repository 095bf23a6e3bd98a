"""Support for tests of user programs: an emulator in this process, and objects that represent its worlds.

Importing this is fast: the emulator itself is loaded when one is started.
"""

from foas_emulator.testing.client import EmulatorError
from foas_emulator.testing.emulator import Emulator
from foas_emulator.testing.faults import Faults
from foas_emulator.testing.journal import Journal
from foas_emulator.testing.server import Server
from foas_emulator.testing.world import Change, Clock, Settings, World

__all__ = ["Change", "Clock", "Emulator", "EmulatorError", "Faults", "Journal", "Server", "Settings", "World"]
