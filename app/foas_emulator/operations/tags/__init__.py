"""Tags on clusters."""
