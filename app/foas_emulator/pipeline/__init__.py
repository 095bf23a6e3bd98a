"""Whether, when and in which world a request is handled: one stage per file, walked by the dispatcher."""
