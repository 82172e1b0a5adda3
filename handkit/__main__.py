"""``python -m handkit``: the command line."""

from handkit.apps.cli.main import main

if __name__ == "__main__":
    main()
