"""Every constant and choice of the kinetics in one place, with the paper's values and those of its authors' code."""

from __future__ import annotations

from tammann.recipe import Recipe
from tammann.recipe_blocks import Kinetics, KineticsChoices, ScoreConstants
from tammann.strict import Document


class KineticsOptions(KineticsChoices, ScoreConstants, Document):
    """How a rate follows from energies and transport; the defaults are the paper's, with the repaired score.

    The fields are those of the block ``kinetics`` of a recipe and of its ``constants``, on one level; what each may be
    and its default stand in ``tammann.recipe_blocks``.

    The score is S = [sigma1(x) - sigma1(0)] sigma2(T/Tm) N (repaired) or sigma1(x) sigma2(T/Tm) (literal), with
    sigma1(x) = (1/a) ln(1 + exp(a x)), sigma2 = p2 ln(1 + exp(b T/Tm - c)) and Tm the lowest melting point among the
    solid reactants.

    x = K_D / (r0² kB T s) and N = 1 downhill, 0 uphill, where K_D comes from the difference between local equilibria:
    by default everywhere, and for the decomposition of one phase into two and the ``electroneutral`` form whatever
    ``potential_difference`` says. K_D is then in proportion to -dG (dG the Gibbs energy of the reaction, eV per atom),
    and so is S close to equilibrium, forward as backward, since sigma1(x) - sigma1(0) is x / 2 of a small x.

    x = K_D dG* / (r0² kB T s), with dG* = pG [1 + erf(-d (dG + e))], and N = max(0, 1 - exp(dG / kB T)), the net over
    the forward rate, where K_D comes from the difference between the stability domains of two phases. That of the
    ``reactants`` vanishes with dG by itself, so that S falls as dG² and growth stalls before equilibrium; that of the
    ``end-members`` does not, and S falls as -dG. The literal score has dG* everywhere.

    Without transport data sigma1(x) gives way to half of 1 + erf(-d (dG + e)), with the N of the latter.

    Attributes:
        transport: ``full`` uses all of L, ``self`` its self part only, ``none`` the thermodynamic score for everything.
        form: How fluxes make a growth constant: ``paper`` sums |J_i|, as the paper's Fig. 2b needs; ``signed`` sums
            J_i, as its eq. 7 is written; ``electroneutral`` lets the layer carry no charge, see
            ``electroneutral_growth_constant``.
        potential_difference: What drives the fluxes through a layer: the difference between the local equilibria on its
            two sides (``local-equilibrium``, see ``tammann.thermo.local_equilibrium_differences``), or between the
            closest points of the stability domains of the reaction's own ``reactants`` (the paper's), or of the
            ``end-members`` for every product. Between the domains a metastable reactant is no distance away from its
            own decomposition products, and so does not react to them. Literal score: ``reactants``.
        end_members: The two phases meant; those of the transport table if None.
        score: ``repaired`` or ``literal``; a recipe with the latter has other defaults of some keys, see
            ``tammann.recipe_blocks.LITERAL``.
        two_products: The layer of two phases is as slow as their volume-weighted ``harmonic`` mean; code: ``largest``.
        decomposition: Whether one phase may decompose; literal score: not.
        contact_area: Whether the reactions of the same solids share the area of one contact in proportion to their
            scores, which then sum to the largest of them (``shared``), or ``each`` has all of it, so that a contact
            reacts the faster the more phases there are. Literal score: ``each``.
        nucleation_barrier_J_per_m2: Interface energy gamma in the factor exp(-16 pi gamma³ / (3 dg_v² kB T)).
        a, b, c, d, e: See above; d per (eV/atom), e in eV per atom; code: the same.
        scale: s, 1/(s eV); None for the convention of ``reference_scale``. Paper: 5e13 in mixed units, code: 5e12.
        cap: Largest score, None for none; code: 20.
        sigma1_linear_above: x above which sigma1 is x itself, None for nowhere; code: 2.
        sigma2_prefactor: p2; paper: 1/2, code: 1.
        driving_prefactor: pG; paper: 1, code: 1/2.
        thermodynamic_above_eV_per_atom: dG above which the literal score is the thermodynamic one, None for nowhere; a
            recipe with ``score: literal``, and the code: 0.01. Without it uphill reactions go on for ever, and unmix.
        nearest_temperature: L of the nearest tabulated temperature in place of ln K_D against 1/T; code: True.
        molten_flux_per_kT_per_m_s: |J_i| times the thickness over kB T in eV, 1/(m s), for a product above its melting
            point, whatever its L; None for its L; code: 1e22.
        missing_L_per_kT_per_m_s: L_ii over kB T in eV, 1/(m s eV²), for a composition without data; None for the
            thermodynamic score; code: 1e16.
        reference_radius_m: The radius r0 at which the scale is set, m; paper: 1e-7, code: 1e-8.
        reference_temperature_K: The temperature at which the scale is set.
        below_range: What the growth constant does below the tabulated temperatures: ``continue`` along the line of ln
            K_D against 1/T of the lowest two (never rising on cooling), ``hold`` the lowest, or ``refuse``. A
            composition with one temperature has no line and counts as without data where a programme goes below it,
            unless its value is held.
        above_range: The same above them: ``hold`` the highest, or ``refuse``.
        residual_pressure_Pa: Pressure of a gas that is released but not part of the atmosphere.
        metastable_limit_eV_per_atom: Products, one or two side by side, further above the hull of this furnace do not
            form; None for no limit. Of the metastable inorganic phases that have been made, 90 % lie within 0.067 eV
            per atom (Sun et al., Sci. Adv. 2016, 2, e1600225, doi 10.1126/sciadv.1600225). Code: None.
        coupled_release: Whether a gas may leave in a reaction whose solids would do better by keeping it, as the heat
            of an exchange between solids would let oxygen leave a titanate; code: True.
        uphill_limit_eV_per_atom: Literal score only: reactions that are nowhere less uphill than this are left out.
        smallest_score: Channels whose score is nowhere above this are left out.
        melt_exchange_above: T/Tm at and below which no cell changes places as a melt would, so that only
            ``solid_exchange_per_sweep`` of the recipe moves colder solids and a mixture can arrest; 0.8, where
            Tammann's onset (c/b) lies, cuts a tail of 0.04. None, as in the code, for ReactCA's whole sigmoid, whose
            tail of about 0.001 at 0.2 and 0.006 at 0.6 moves solids as well and decides how far a mixture gets.

    Example:
        >>> KineticsOptions(form="signed").form, PUBLIC_CODE.cap
        ('signed', 20.0)
    """

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> KineticsOptions:
        """Return the options that a recipe states; of reactive diffusion these are the gases'.

        Example:
            >>> from tammann.recipe import Recipe
            >>> recipe = Recipe(
            ...     precursors=[{"phase": "BaO", "ratio": 1}],
            ...     programme=[{"temperature_K": 1500, "hold_h": 1}],
            ...     kinetics={"preset": "public-code"},
            ... )
            >>> KineticsOptions.from_recipe(recipe) == PUBLIC_CODE
            True
        """
        if recipe.engine != "automaton":
            return cls(residual_pressure_Pa=recipe.diffusion.residual_pressure_Pa)
        return cls._from_block(recipe.kinetics)

    @classmethod
    def _from_block(cls, kinetics: Kinetics) -> KineticsOptions:
        stated = {**dict(kinetics.constants), **dict(kinetics)}
        return cls(**{name: stated[name] for name in cls.model_fields})


PUBLIC_CODE = KineticsOptions._from_block(Kinetics(preset="public-code"))
"""The choices of the authors' public code (mcgalcode/rxn-ca at 83b3d2b, scorers/diffusion.py).

Its scale is left to the convention, because its units are mixed, and it takes the closest pair of vertices of two
stability domains where the closest points are taken here.
"""
