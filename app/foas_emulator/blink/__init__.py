"""The make-believe Blink engine: what a job's code says, and what a running job would show. Deterministic; no I/O."""
