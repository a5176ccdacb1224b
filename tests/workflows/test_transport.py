"""From trajectory files to a folder, and the command that does it."""

import gzip
import json

import numpy as np
import pytest

from tammann import __version__
from tammann.errors import DataError, ResultError
from tammann.files import digest, lock_folder
from tammann.trajectory import trajectory_from_arrays
from tammann.transport import load_transport
from tammann.workflows.transport import TransportPlan, _coarse_paths, _same_paths, run_transport
from transport.walks import correlated_walk, in_SI, independent_walk


def dump(path, trajectory, *, every=100, wrapped=False):
    """A LAMMPS dump of a trajectory in a cube."""
    box = trajectory.cells[0, 0, 0]
    opener = gzip.open if path.suffix == ".gz" else open
    names = "x y z" if wrapped else "xu yu zu"
    with opener(path, "wt") as file:
        for k, frame in enumerate(trajectory.positions):
            shown = frame % box if wrapped else frame
            file.write(f"ITEM: TIMESTEP\n{k * every}\nITEM: NUMBER OF ATOMS\n{len(frame)}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {box}\n" * 3 + f"ITEM: ATOMS id element {names}\n")
            rows = enumerate(zip(trajectory.symbols, shown, strict=True), start=1)
            file.write("".join(f"{i} {s} {p[0]:.6f} {p[1]:.6f} {p[2]:.6f}\n" for i, (s, p) in rows))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Walks of two compositions and two temperatures, one of them twice."""
    there = tmp_path_factory.mktemp("walks")
    rng = np.random.default_rng(3)
    slow, fast = {"D": (0.02, 0.05), "counts": (8, 8)}, {"D": (0.04, 0.10), "counts": (8, 8)}
    dump(there / "a1.dump", independent_walk(rng, 1200, **slow, symbols=("Na", "Cl")))
    dump(there / "a2.dump.gz", independent_walk(rng, 1200, **slow, symbols=("Na", "Cl")), wrapped=True)
    dump(there / "a-hot.dump", independent_walk(rng, 1200, **fast, symbols=("Na", "Cl")))
    dump(there / "b.dump", independent_walk(rng, 1200, **slow, symbols=("Mg", "O")))
    dump(there / "stuck.dump", independent_walk(rng, 300, D=(0.02, 0.0), counts=(4, 4), symbols=("Mg", "O")))
    return there


def transport(call, folder, *words, out, temperature=(1000,)):
    return call("transport", *words, "--temperature-K", *temperature, "--timestep-fs", 1, "--out", out)


def test_one_trajectory(call, folder, tmp_path):
    outcome = transport(call, folder, folder / "a1.dump", "--frame", "laboratory", out=tmp_path / "o")
    assert outcome.status == 0, outcome.err
    assert "D, m2/s" in outcome.out and "Conductivity" in outcome.out and "Regime" in outcome.out
    record = json.loads((tmp_path / "o" / "transport.json").read_text("utf-8"))
    assert record["species"] == ["Na", "Cl"] and record["frame"] == "laboratory" and record["diffusive"] is True
    for i, (symbol, D) in enumerate({"Na": 0.02e-8, "Cl": 0.05e-8}.items()):
        assert abs(record["D_m2_per_s"][symbol] - D) < 4 * record["D_stderr"][symbol]
        L = in_SI(8 * D * 1e8, temperature_K=1000.0, volume_A3=8000.0)
        assert abs(record["L"][i][i] - L) < 4 * record["L_stderr"][i][i]
        assert abs(record["haven_ratio"][symbol] - 1) < 4 * record["haven_ratio_stderr"][symbol]
        assert record["L_self"][symbol] > 0 and record["L_self_stderr"][symbol] > 0
    assert record["volume_A3"] == pytest.approx(8000.0) and len(record["regime_ps"]) == 2
    sigma = record["conductivity"]
    assert sigma["charges"] == {"Na": 1.0, "Cl": -1.0}
    assert sum(sigma["transference"].values()) == pytest.approx(1.0)
    files = {path.name for path in (tmp_path / "o").iterdir()}
    # no transport_table.json: another frame
    assert files == {"plan.json", "transport.json", "NaCl-1000K.csv", "NaCl-1000K.png"}
    head, first, *_ = (tmp_path / "o" / "NaCl-1000K.csv").read_text("utf-8").splitlines()
    assert head.split(",")[:3] == ["time_ps", "msd_Na_A2", "msd_Cl_A2"]
    assert float(first.split(",")[0]) == pytest.approx(0.1) and float(first.split(",")[1]) == pytest.approx(
        0.012, rel=0.1
    )


def test_several_are_grouped_and_replicas_combined(call, folder, tmp_path):
    files = [folder / name for name in ("a1.dump", "a2.dump.gz", "a-hot.dump", "b.dump")]
    outcome = transport(call, folder, *files, "--no-figures", out=tmp_path / "o", temperature=(1000, 1000, 1500, 1000))
    assert outcome.status == 0, outcome.err
    records = json.loads((tmp_path / "o" / "transport.json").read_text("utf-8"))
    assert [(r["formula"], r["temperature_K"], r["n_replicas"]) for r in records] == [
        ("NaCl", 1000.0, 2),
        ("NaCl", 1500.0, 1),
        ("MgO", 1000.0, 1),
    ]
    table = load_transport(tmp_path / "o" / "transport_table.json")
    assert table.formulas == ("MgO", "NaCl") and table.temperatures_K("NaCl").tolist() == [1000.0, 1500.0]
    assert table.name == "o/transport_table.json"
    entry = table.at("NaCl", 1000.0)
    assert entry.L.tolist() == records[0]["L"] and entry.L_stderr.tolist() == records[0]["L_stderr"]
    assert "Ea" in outcome.out


def test_measured_table_gives_growth_constants_with_bands(call, folder, tmp_path):
    """Errors of L come through to K_D."""
    steps = np.random.default_rng(9)
    counts = {"Ba": 4, "Ti": 4, "O": 12}
    names = [symbol for symbol, n in counts.items() for _ in range(n)]
    walk = trajectory_from_arrays(
        0.1 * steps.normal(size=(800, 20, 3)).cumsum(axis=0),
        12 * np.eye(3),
        names,
        frame_interval_ps=0.1,
        wrapped=False,
    )
    file = dump(tmp_path / "melt.dump", walk)
    assert transport(call, folder, file, "--no-figures", out=tmp_path / "o", temperature=(1500,)).status == 0
    table = load_transport(tmp_path / "o" / "transport_table.json")
    entry = table.at("BaTiO3", 1500.0)
    assert entry.centre_of_mass_deviation < 1e-9
    assert np.all(entry.L_stderr > 0)
    from tammann import growth_constants, load_phases

    constants = growth_constants(load_phases("Ba-Ti-O"), table, [1500.0], between=("BaO", "TiO2"), draws=30)
    row = constants[constants["phase"] == "BaTiO3"].iloc[0]
    assert row["K_D_low"] < row["K_D_m2_per_s"] < row["K_D_high"]


def test_json_and_quiet(call, folder, tmp_path):
    outcome = transport(call, folder, folder / "b.dump", "--json", "--no-figures", out=tmp_path / "o")
    assert json.loads(outcome.out)["formula"] == "MgO"
    silent = transport(call, folder, folder / "b.dump", "--quiet", "--no-figures", out=tmp_path / "p")
    assert silent.status == 0 and silent.out == "" and silent.err == ""


def test_what_is_stuck_is_flagged(call, folder, tmp_path):
    outcome = transport(call, folder, folder / "stuck.dump", "--frame", "laboratory", out=tmp_path / "o")
    assert outcome.status == 0, outcome.err
    record = json.loads((tmp_path / "o" / "transport.json").read_text("utf-8"))
    assert record["diffusive"] is False and record["diffusive_species"] == {"Mg": True, "O": False}
    assert record["D_m2_per_s"]["O"] is None and record["D_m2_per_s"]["Mg"] > 0
    assert record["immobile_species"] == {"Mg": False, "O": True}
    assert abs(record["L"][1][1]) < 1e-6 * record["L"][0][0]
    assert record["conductivity"]["transference"]["Mg"] == pytest.approx(1.0)
    assert "not shown to be diffusive" in outcome.out


def test_a_framework_is_the_frame_unless_another_is_asked_for(call, folder, tmp_path):
    words = [folder / "stuck.dump", "--no-figures"]
    records = {}
    reason = "No transport_table.json, as no measurement serves recipes: MgO at 1000 K: a framework of O is at rest"
    for name, frame in (("own", None), ("asked", "barycentric")):
        asked = () if frame is None else ("--frame", frame)
        outcome = transport(call, folder, *words, *asked, out=tmp_path / name)
        assert outcome.status == 0 and reason in " ".join(outcome.out.split()), outcome.err
        plan = TransportPlan(trajectories=[words[0]], temperatures_K=[1000.0], timestep_fs=1.0, frame=frame)
        found = run_transport(plan)
        assert found.table is None and any(note.startswith(reason) for note in found.notes)
        records[name] = json.loads((tmp_path / name / "transport.json").read_text("utf-8"))
        assert not (tmp_path / name / "transport_table.json").exists()
    assert records["own"]["frame"] == "O" and records["asked"]["frame"] == "barycentric"
    for record in records.values():
        assert record["immobile_species"] == {"Mg": False, "O": True} and record["D_m2_per_s"]["O"] is None
        assert any("framework" in note for note in record["notes"])


def test_a_trajectory_counts_once(call, folder, tmp_path):
    twice = transport(call, folder, folder / "a1.dump", folder / ".." / folder.name / "a1.dump", out=tmp_path / "o")
    assert twice.status == 2 and "a1.dump was given twice" in twice.err
    (tmp_path / "copy.dump").write_bytes((folder / "a1.dump").read_bytes())
    copied = transport(call, folder, folder / "a1.dump", tmp_path / "copy.dump", out=tmp_path / "o")
    assert copied.status == 2 and "copy.dump holds the same positions" in copied.err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("noise_A", [1e-9, 1e-3])
@pytest.mark.parametrize("length", [1200, 700])
def test_a_copy_with_noise_or_cut_short_is_no_replica(tmp_path, noise_A, length):
    rng = np.random.default_rng(11)
    walk = independent_walk(rng, 1200, counts=(8, 8))
    for name, positions in (
        ("run", walk.positions),
        ("copy", walk.positions[:length] + rng.normal(0, noise_A, (length, 16, 3))),
        ("other", independent_walk(rng, 1200, counts=(8, 8)).positions),
    ):
        np.savez(tmp_path / name, positions=positions, cells=walk.cells, symbols=walk.symbols, wrapped=False)
    keys = {"temperatures_K": [1000.0], "frame_interval_ps": 0.1}
    files = [tmp_path / f"{name}.npz" for name in ("run", "other", "copy")]
    with pytest.raises(DataError, match="copy.npz holds the same positions as a trajectory before it"):
        run_transport(TransportPlan(trajectories=files, **keys))
    assert run_transport(TransportPlan(trajectories=files[:2], **keys)).measurements[0].n_replicas == 2


@pytest.mark.parametrize("atoms", [1, 2, 32])
def test_independent_replicas_of_a_crystal_from_one_start_are_two(atoms):
    """They share their first frame, lattice and spectrum, not their displacements."""
    rng = np.random.default_rng(5)
    sites = rng.uniform(0, 10, (atoms, 3))

    def crystal():
        positions = sites + rng.normal(0, 0.1, (4000, atoms, 3))
        positions[0] = sites
        return trajectory_from_arrays(positions, 10.0 * np.eye(3), ["Na"] * atoms, frame_interval_ps=0.1, wrapped=False)

    pairs = [(_coarse_paths(crystal()), _coarse_paths(crystal())) for _ in range(50)]
    assert not any(_same_paths(one, other) for one, other in pairs)
    assert all(_same_paths(one, one) for one, _ in pairs)


@pytest.mark.slow
def test_complete_results_are_loaded_and_another_plan_is_refused(call, folder, tmp_path, monkeypatch):
    keys = {"trajectories": [folder / "a1.dump", folder / "a-hot.dump"], "temperatures_K": [1000.0, 1500.0]}
    plan = TransportPlan(**keys, timestep_fs=1.0)
    first = run_transport(plan, tmp_path / "o", resume=True)  # nothing there yet
    before = {path.name: path.read_bytes() for path in (tmp_path / "o").iterdir()}
    for changed, key in (({"skip_ps": 1.0}, "skip_ps 0.0, got 1.0"), ({"frame": "Na"}, "frame None, got Na")):
        with pytest.raises(ResultError, match=f"holds a plan with {key}"):
            run_transport(TransportPlan(**keys, timestep_fs=1.0, **changed), tmp_path / "o", resume=True)
    with pytest.raises(ResultError, match="not empty.*--resume"):
        run_transport(plan, tmp_path / "o")
    monkeypatch.setattr("tammann.workflows.transport.read_trajectory", None)  # nothing is read again
    again = run_transport(plan, tmp_path / "o", resume=True)
    for one, other in zip(first.measurements, again.measurements, strict=True):
        assert other.apparent.L == pytest.approx(one.apparent.L, rel=1e-12) and other.notes == one.notes
    for one, other in zip(first.conductivities, again.conductivities, strict=True):
        assert other.sigma_S_per_m == pytest.approx(one.sigma_S_per_m, rel=1e-12)
    energies = [run.activation["NaCl"]["Na"].activation_energy_eV for run in (first, again)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-12)
    assert again.notes == first.notes and again.correlations == ()
    assert again.table.formulas == first.table.formulas == ("NaCl",)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "o").iterdir()}
    words = [*plan.trajectories, "--resume", "--json"]
    shown = transport(call, folder, *words, out=tmp_path / "o", temperature=(1000, 1500))
    assert shown.status == 0 and [record["temperature_K"] for record in json.loads(shown.out)] == [1000.0, 1500.0]
    refused = transport(call, folder, *words, "--skip-ps", 2, out=tmp_path / "o", temperature=(1000, 1500))
    assert refused.status == 2 and "skip_ps" in refused.err


def test_resume_knows_the_trajectories_by_their_contents(call, tmp_path, monkeypatch):
    """The run of a file by name; another file of that name, in its place or in another directory, is another run."""

    def hopper(place, seed):
        place.mkdir(exist_ok=True)
        monkeypatch.chdir(place)
        walk = 0.1 * np.random.default_rng(seed).normal(size=(1000, 8, 3)).cumsum(axis=0)
        np.savez(place / "hopper.npz", positions=walk, cells=12.0 * np.eye(3), symbols=["Na", "Cl"] * 4)

    def resumed():
        words = ["hopper.npz", "--temperature-K", 1200, "--frame-interval-ps", 0.1, "--no-figures", "--resume"]
        return call("transport", *words, "--out", tmp_path / "o")

    hopper(tmp_path / "a", 1)
    assert "Written: " in resumed().out
    files = {path.name: path.read_bytes() for path in (tmp_path / "o").iterdir()}
    plan = json.loads(files["plan.json"])
    assert plan["sha256"] == {str((tmp_path / "a" / "hopper.npz").resolve()): digest(tmp_path / "a" / "hopper.npz")}
    assert plan["version"] == __version__
    again = resumed()
    assert again.status == 0 and "Found: " in again.out and "Written: " not in again.out
    for place, seed in (("b", 2), ("a", 2)):
        hopper(tmp_path / place, seed)
        refused = resumed()
        assert refused.status == 2 and refused.err.count("\n") == 1
        assert "belongs to a run of another hopper.npz; name another folder" in refused.err
    hopper(tmp_path / "a", 1)
    assert "Found: " in resumed().out
    (tmp_path / "o" / "plan.json").write_text(json.dumps({**plan, "sha256": None}))
    assert "belongs to a run of another hopper.npz" in resumed().err
    plan["version"] = "0"
    (tmp_path / "o" / "plan.json").write_text(json.dumps(plan))
    assert "holds a plan with version 0, got" in resumed().err
    (tmp_path / "a" / "hopper.npz").unlink()
    assert "hopper.npz cannot be read" in resumed().err


def test_a_folder_in_use_is_locked_and_an_interrupted_one_is_begun_again(folder, tmp_path):
    plan = TransportPlan(trajectories=[folder / "b.dump"], temperatures_K=[1000.0], timestep_fs=1.0)
    out = tmp_path / "o"
    out.mkdir()
    with lock_folder(out), pytest.raises(ResultError, match="in use"):
        run_transport(plan, out, figures=False)
    run_transport(plan, out, figures=False)
    whole = {path.name: path.read_bytes() for path in out.iterdir()}
    # as a process that was killed leaves it
    (out / "transport.json").unlink()
    (out / ".partial").mkdir()
    (out / ".partial" / "MgO-1000K.csv").write_text("half")
    run_transport(plan, out, resume=True, figures=False)
    assert whole == {path.name: path.read_bytes() for path in out.iterdir()}
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "x").write_text("x")
    with pytest.raises(ResultError, match="not empty"):
        run_transport(plan, tmp_path / "else", resume=True)


def test_options_reach_the_calculation(call, folder, tmp_path):
    words = ["--regime-ps", 1, 10, "--charges", "Na=1", "Cl=-1", "--skip-ps", 20, "--every", 2, "--no-figures"]
    words += ["--viscosity-mPa-s", 1.0, 0.1, "--frame", "Cl"]
    outcome = transport(call, folder, folder / "a1.dump", *words, out=tmp_path / "o")
    assert outcome.status == 0, outcome.err
    record = json.loads((tmp_path / "o" / "transport.json").read_text("utf-8"))
    assert record["regime_ps"] == pytest.approx([1.0, 10.0]) and record["regime_rule"] == "given"
    assert record["frame_interval_ps"] == pytest.approx(0.2) and record["duration_ps"] == pytest.approx(99.8, abs=0.3)
    assert record["L"][1][1] == pytest.approx(0.0, abs=1e-6 * record["L"][0][0])
    # 2.837297 kB T / (6 pi eta L) with T 1000 K, eta 1 mPa s, L 20 Å
    added = 2.837297 * 1.380649e-23 * 1000 / (6 * np.pi * 1e-3 * 20e-10)
    assert record["D_infinite_box_m2_per_s"]["Na"] - record["D_m2_per_s"]["Na"] == pytest.approx(added, rel=1e-6)
    assert record["D_infinite_box_stderr"]["Na"] > record["D_stderr"]["Na"]


def test_same_input_same_bytes_on_any_threads(call, folder, tmp_path):
    for threads in (1, 2):
        done = transport(
            call, folder, folder / "a1.dump", "--no-figures", "--threads", threads, out=tmp_path / f"o{threads}"
        )
        assert done.status == 0
    one, two = ((tmp_path / f"o{n}" / "transport.json").read_bytes() for n in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a1.dump", "--frame", "K"], "expected barycentric, laboratory or one of the elements"),
        (["a1.dump", "--regime-ps", "5", "1000"], "regime_ps is 5 to 1000 ps"),
        (["a1.dump", "--charges", "Na=1"], "charges has no Cl"),
        (["a1.dump", "--charges", "Na=1", "Cl=-1", "Xx=3"], "charges name 'Xx'"),
        (["a1.dump", "--regime-ps", "nan", "3"], "expected two times in ps"),
        (["a1.dump", "--charges", "Na=x"], "such as Ba=2, got 'Na=x'"),
        (["a1.dump", "--skip-ps", "1e5"], "skip_ps is 100000 ps"),
        (["a1.dump", "--viscosity-mPa-s", "-1", "0.1"], "viscosity_Pa_s"),
        (["nothing.dump"], "nothing.dump"),
        (["a1.dump", "--temperature-K", "-5"], "temperature_K is -5"),
    ],
)
def test_bad_input_gets_one_sentence(call, folder, tmp_path, words, message):
    words = [str(folder / words[0]), *words[1:]]
    if "--temperature-K" not in words:
        words += ["--temperature-K", "1000"]
    outcome = call("transport", *words, "--timestep-fs", 1, "--out", tmp_path / "o", "--no-figures")
    assert outcome.status == 2, outcome.out
    assert message in outcome.err and outcome.err.count("\n") == 1
    assert not (tmp_path / "o").exists()
    assert list(tmp_path.iterdir()) == []


def test_no_time_step_and_no_empty_folder(call, folder, tmp_path):
    outcome = call("transport", folder / "a1.dump", "--temperature-K", 1000, "--out", tmp_path / "o")
    assert outcome.status == 2 and "--timestep-fs" in outcome.err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    outcome = transport(call, folder, folder / "a1.dump", out=tmp_path / "full")
    assert outcome.status == 2 and "not empty" in outcome.err
    outcome = transport(call, folder, folder / "a1.dump", folder / "b.dump", out=tmp_path / "o", temperature=(1, 2, 3))
    assert outcome.status == 2 and "3 times for 2 trajectories" in outcome.err


def test_an_interrupted_write_leaves_nothing(folder, tmp_path, monkeypatch):
    plan = TransportPlan(trajectories=[folder / "b.dump"], temperatures_K=[1000.0], timestep_fs=1.0)

    def fails(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tammann.workflows.transport.save_measurements", fails)
    with pytest.raises(KeyboardInterrupt):
        run_transport(plan, tmp_path / "o", figures=False)
    assert list(tmp_path.iterdir()) == []


def test_the_library_says_the_same_as_the_command(call, folder, tmp_path):
    plan = TransportPlan(trajectories=[folder / "b.dump"], temperatures_K=[1000.0], timestep_fs=1.0)
    transport(call, folder, folder / "b.dump", "--no-figures", out=tmp_path / "o")
    run_transport(plan, tmp_path / "p", figures=False)
    assert (tmp_path / "o" / "transport.json").read_bytes() == (tmp_path / "p" / "transport.json").read_bytes()
    with pytest.raises(ResultError, match="not empty"):
        run_transport(plan, tmp_path / "p")


def test_correlated_ions_through_a_wrapped_dump(call, tmp_path):
    """The known matrix survives wrapping, writing and reading."""
    walk = correlated_walk(np.random.default_rng(21), 1500, interval_ps=0.05)
    for name, wrapped in (("xu.dump", False), ("x.dump", True)):
        dump(tmp_path / name, walk, wrapped=wrapped, every=50)
    found = [
        run_transport(
            TransportPlan(trajectories=[tmp_path / name], temperatures_K=[1200.0], timestep_fs=1.0, frame="laboratory")
        ).measurements[0]
        for name in ("xu.dump", "x.dump")
    ]
    assert found[0].apparent.L == pytest.approx(found[1].apparent.L, rel=1e-4)


def test_mixed_compositions_in_one_group_are_refused(tmp_path):
    rng = np.random.default_rng(4)
    for name, counts in (("small.dump", (4, 4)), ("large.dump", (8, 8))):
        dump(tmp_path / name, independent_walk(rng, 200, counts=counts))
    files = [tmp_path / "small.dump", tmp_path / "large.dump"]
    with pytest.raises(DataError, match="different ions"):
        run_transport(TransportPlan(trajectories=files, temperatures_K=[1000.0], timestep_fs=1.0))
