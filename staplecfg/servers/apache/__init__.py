"""Apache httpd: its language, deliveries, commands and rules. Pure."""
