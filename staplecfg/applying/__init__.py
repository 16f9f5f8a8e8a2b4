"""Carrying out a plan. Effects."""
