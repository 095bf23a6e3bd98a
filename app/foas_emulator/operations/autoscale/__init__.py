"""AutoScale: plans that a running job was tuned to."""
