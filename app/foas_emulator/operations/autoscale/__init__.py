"""AutoScale: the plans to which running jobs were tuned."""
