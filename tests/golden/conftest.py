"""Keeps pytest from importing the makers of golden files, which need the peers they measure."""

collect_ignore_glob = ["make_*.py", "*_rule.py"]
