"""Linear atomic cluster expansions: basis, kernel, model and fits; other packages' potentials of the same kind."""
