"""Networks. Import one from its own room; the rooms that need torch are imported only when they are used."""
