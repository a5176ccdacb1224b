"""Reactive diffusion with local equilibrium: the Gibbs energy of a powder falls along Onsager's metric.

``components`` says what is conserved, ``conductivity`` how well each solid conducts it, ``mesh`` and ``powder`` cut
particles into cells, ``engine`` runs a chain of cells, ``voxels`` a periodic cube, and ``simulate`` returns a
``History``.
"""
