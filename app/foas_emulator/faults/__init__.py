"""Misbehave on purpose: rules that say to which calls they apply, and the effects that they have."""
