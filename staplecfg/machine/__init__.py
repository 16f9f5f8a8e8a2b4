"""Files, locks, processes of this machine. Effects."""
