"""A potential by commands of LAMMPS, from a file; refusals in one sentence that names file and key."""

import pytest

from tammann.errors import DataError
from tammann.potentials import LammpsCommands, RigidIons, imported_potential, load_potential
from tammann.potentials.calculators import calculator_of, prepare
from tammann.potentials.ewald import RigidIonsCalculator

FILE = """
name: buckingham-mgo
source: somebody, 1999
elements: [Mg, O]
charges: {Mg: 2, O: -2.0}
commands: |
  # Coulomb and Buckingham
  pair_style buck/coul/long 10.0

  pair_coeff Mg O &
             821.6 0.3242 0.0   # eV, Å, eV Å6
  pair_coeff O O 22764.0 0.149 27.88
  pair_coeff Mg Mg 0.0 1.0 0.0
  kspace_style pppm 1e-5
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="mgo.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_what_is_read(written):
    potential = load_potential(written(FILE))
    assert isinstance(potential, LammpsCommands)
    assert (potential.name, potential.source) == ("buckingham-mgo", "somebody, 1999")
    assert potential.elements == ("Mg", "O") and potential.charges == {"Mg": 2.0, "O": -2.0}
    assert [" ".join(command.split()) for command in potential.commands] == [
        "pair_style buck/coul/long 10.0",
        "pair_coeff Mg O 821.6 0.3242 0.0 # eV, Å, eV Å6",
        "pair_coeff O O 22764.0 0.149 27.88",
        "pair_coeff Mg Mg 0.0 1.0 0.0",
        "kspace_style pppm 1e-5",
    ]
    potential.check(["O", "Mg", "O"])
    potential.check({"Mg": 1, "O": 1}, formula="MgO")


def test_what_need_not_be_there(written, tmp_path):
    lines = "pair_style eam/alloy", "variable folder string ${folder}x{folder}", "pair_coeff * * {folder}/Al.eam Al"
    text = "elements: [Al]\ncommands: |\n" + "\n".join(f"  {line}" for line in lines)
    potential = load_potential(written(text, "al-mine.yml"))
    assert potential.name == "al-mine" and potential.source == "LAMMPS commands of al-mine.yml"
    assert potential.charges == {} and potential.commands[2] == f"pair_coeff * * {tmp_path.resolve()}/Al.eam Al"
    assert potential.commands[1] == f"variable folder string ${{folder}}x{tmp_path.resolve()}"
    potential.check(["Al"], formula="Al")


def test_compositions_it_cannot_do(written):
    potential = load_potential(written(FILE))
    with pytest.raises(DataError, match=r"FeO: potential buckingham-mgo has no type for Fe, only for Mg, O; add it"):
        potential.check(["Fe", "O"], formula="FeO")
    with pytest.raises(DataError, match=r"MgO2: its charges with buckingham-mgo .* sum to -2 per formula unit"):
        potential.check(["Mg", "O"], formula="MgO2")
    with pytest.raises(DataError, match=r"Mg1O2: its charges"):
        prepare(potential, ["Mg", "O", "O"])


@pytest.mark.parametrize(
    "change, words",
    [
        (("source:", "sauce:"), "sauce: expected no such key, .*did you mean source"),
        (("elements: [Mg, O]", ""), r"elements: expected a list of elements, .*got nothing.*; add the key"),
        (("elements: [Mg, O]", "elements: []"), "elements: expected a list of elements"),
        (("elements: [Mg, O]", "elements: Mg"), "elements: expected a list of elements"),
        (("elements: [Mg, O]", "elements: [Mg, 8]"), "elements.*: expected .*got 8"),
        (("elements: [Mg, O]", "elements: [Mg, Ox]"), "elements: expected symbols of elements, got 'Ox'"),
        (("elements: [Mg, O]", "elements: [Mg, O, Mg]"), "elements: expected each element once"),
        (("Mg: 2,", "Mg: two,"), r"charges.Mg: expected a number of elementary charges .*got 'two'"),
        (("Mg: 2,", "Mg: true,"), r"charges.Mg: expected a number of elementary charges .*got True"),
        (("Mg: 2,", "Mg: .inf,"), r"charges.Mg: expected a number of elementary charges"),
        (("Mg: 2,", "Ca: 2, Mg: 2,"), "charges: expected the elements Mg, O, got 'Ca'"),
        (("Mg: 2,", ""), "charges: expected one for every element, got none for Mg"),
        (("name: buckingham-mgo", "name: 7"), "name: expected a short name, got 7"),
        (("kspace_style pppm 1e-5", "run 100"), "commands: expected commands on forces .*got 'run 100'; remove it"),
        (("kspace_style pppm 1e-5", "shell rm x"), "commands: expected commands on forces .*got 'shell rm x'"),
        (("kspace_style pppm 1e-5", "kspace_style"), "commands: expected something behind kspace_style, got nothing"),
        (("pair_style buck/coul/long 10.0", ""), "commands: expected a pair_style among them, got none"),
        ((FILE[FILE.index("commands") :], "commands: ''"), "commands: expected a pair_style"),
        ((FILE[FILE.index("commands") :], ""), "commands: expected commands of LAMMPS .*got nothing"),
        ((FILE[FILE.index("commands") :], "commands: [pair_style, zero]"), "commands: expected commands of LAMMPS"),
        ((FILE, "x"), "expected YAML"),
        ((FILE, ""), "expected YAML"),
        ((FILE, "elements: &a [Mg]"), "anchor"),
    ],
)
def test_files_that_are_refused(written, change, words):
    path = written(FILE.replace(*change))
    with pytest.raises(DataError, match=words) as caught:
        load_potential(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="none.yaml: expected a file to read, got none"):
        load_potential(str(tmp_path / "none.yaml"))
    with pytest.raises(DataError, match="or a file such as mine.yaml, got 'mine.txt'"):
        load_potential("mine.txt")


def test_what_a_callable_gives(written):
    """Rigid ions or commands of the reader's own take the place of what imported them; a calculator is made once."""
    mine = prepare(imported_potential("potentials.toys:rigid"), ["Mg", "O"])
    assert isinstance(mine, RigidIons) and mine.name == "mine" and prepare(mine, ["Mg"]) is mine
    assert prepare(imported_potential("potentials.toys:commands"), ["Mg", "O"]).elements == ("Mg", "O")
    ions = prepare(imported_potential("potentials.toys:ions"), ["Mg", "O"])
    assert calculator_of(ions) is calculator_of(ions) and isinstance(calculator_of(ions), RigidIonsCalculator)
    assert isinstance(calculator_of(imported_potential("potentials.toys:rigid")), RigidIonsCalculator)
    for symbols, words in ((["Fe", "O"], "no parameters for Fe"), (["Mg", "O", "O"], "Mg1O2: its charges with mine")):
        with pytest.raises(DataError, match=words):
            prepare(imported_potential("potentials.toys:rigid"), symbols)
    with pytest.raises(DataError, match="has no type for Fe"):
        prepare(imported_potential("potentials.toys:commands"), ["Fe"])


def test_other_engines_refuse_it(written):
    for potential in (load_potential(written(FILE)), imported_potential("potentials.toys:commands")):
        with pytest.raises(DataError, match="works with engine lammps only"):
            calculator_of(potential)
