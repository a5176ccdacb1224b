import os
import time

import pytest

from potentials.toy_labellers import ToyLabeller, cell_of
from tammann.errors import DataError
from tammann.potentials.label_workers import label_in_processes


def labelled(labeller, symbols, workers=1, timeout_s=60.0):
    tasks = [(n, cell_of(symbol, 0.1 * n)) for n, symbol in enumerate(symbols)]
    found = label_in_processes(labeller, tasks, workers=workers, timeout_s=timeout_s)
    return {news.frame: news for news in found if news is not None}


def gone(pid):
    for _ in range(100):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().split()[2] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_a_hung_worker_is_killed_with_its_programs_and_replaced(tmp_path):
    news = labelled(ToyLabeller(str(tmp_path)), ["Mg", "He", "Mg"], timeout_s=2.0)
    assert news[1].answer is None and news[1].failure == "not done within 2 s"
    assert news[0].answer.energy_eV == 0.0 and news[2].answer.energy_eV == pytest.approx(0.2)
    assert gone(int((tmp_path / "child").read_text()))


def test_a_worker_that_dies_loses_its_frame_only():
    news = labelled(ToyLabeller(), ["Ne", "Mg", "Ar"])
    assert news[0].failure == "its process ended with exit code -9"
    assert news[1].answer is not None
    assert news[2].failure == "RuntimeError: density did not converge"


def test_a_labeller_that_cannot_be_loaded_ends_it_all():
    with pytest.raises(DataError, match="the toy is broken; mend it"):
        labelled(ToyLabeller(method="broken"), ["Mg"])
    with pytest.raises(DataError, match="ended with exit code 7 while loading"):
        labelled(ToyLabeller(method="crash"), ["Mg"])


def test_workers_end_when_the_caller_stops_listening(tmp_path):
    found = label_in_processes(
        ToyLabeller(str(tmp_path)), [(0, cell_of("He")), (1, cell_of("Mg"))], workers=1, timeout_s=60.0
    )
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        assert next(found) is None
    found.close()
    assert gone(int((tmp_path / "child").read_text()))
