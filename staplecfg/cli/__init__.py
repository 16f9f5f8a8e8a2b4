"""Words, exit status, colour. Effects."""
