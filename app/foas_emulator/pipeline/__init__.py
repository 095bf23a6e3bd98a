"""Decide whether, when and in which world a request is handled: one stage per file, called by the dispatcher."""
