"""How fast the emulator is beside its peers, measured in one run on one machine: `python -m benchmarks`."""
