"""Plug-ins that make handkit a part of other toolkits; nothing here is imported by handkit on its own."""
