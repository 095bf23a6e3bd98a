"""The simulated Blink engine: it reads a job's code and makes up the data of a running job. Deterministic; no I/O."""
