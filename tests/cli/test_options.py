"""Options that several commands share."""

from cli.refusals import refused


def test_figures_are_refused_before_any_work(call, tmp_path):
    assert "--plot: expected a file name that ends in" in refused(call("kd", "--plot", tmp_path / "figure.xyz"))
    assert "--plot: expected a directory" in refused(call("kd", "--plot", tmp_path / "nowhere" / "figure.png"))
