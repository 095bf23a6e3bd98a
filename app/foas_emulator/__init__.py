"""A local emulator of Alibaba Cloud Realtime Compute (foas, API version 2018-11-11)."""

__version__ = "0.1.0"
