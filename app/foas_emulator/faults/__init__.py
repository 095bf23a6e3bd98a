"""Misbehaving on purpose: rules that say which calls are struck, and the effects that strike them."""
