"""Misbehave on purpose: fault rules, which say to which calls they apply, and their effects."""
