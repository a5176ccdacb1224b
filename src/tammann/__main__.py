"""The command ``tammann``, also as ``python -m tammann``."""

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        from tammann.cli.app import call

        status = call(sys.argv[1:])
    except KeyboardInterrupt:  # while the modules were still being imported
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
