"""MACE: calculators from files, training from scratch and fine-tuning by the package's own program."""
