"""The servers: each one's language, deliveries, commands and rules. Pure."""
