"""nginx: its language, deliveries, commands and rules. Pure."""
