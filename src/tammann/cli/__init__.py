"""The command line: words and options in, tables and files out; nothing is computed here."""
