"""Jobs: drafts, committed copies and plans."""
