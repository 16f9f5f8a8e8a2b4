"""Fetching, keeping and serving staples. Effects."""
