import numpy as np
import pytest

from tammann.characterization.diffraction import MeasuredPattern, compare_with_measured, read_measured
from tammann.errors import DataError

THREE = "20.0 105 10\n20.1 121 11\n20.2 98 10\n"


@pytest.mark.parametrize(
    "text",
    [
        THREE,
        "# Cu K alpha\n! two lines\n" + THREE,
        "1.5406\nBaZrS3 film\n" + THREE,
        "two_theta, counts, sigma\n" + THREE.replace(" ", ", "),
        "'title'\n/* instrument */\n" + THREE.replace(" ", "\t"),
        "film\n2-theta angle\nintensity\n   3\n" + THREE,
        "[DEFAULT]\nqmax = 25.0\n#### start data\n#S 1\n#L r G\n" + THREE,
        THREE + "\n# end\n",
        THREE.replace(" ", "; ").replace("\n", "\r\n"),
    ],
)
def test_the_usual_files_are_read(tmp_path, text):
    path = tmp_path / "film.xye"
    path.write_text(text)
    found = read_measured(path)
    np.testing.assert_allclose(found.x, [20.0, 20.1, 20.2])
    np.testing.assert_allclose(found.y, [105, 121, 98])
    np.testing.assert_allclose(found.sigma, [10, 11, 10])


def test_two_columns_have_no_uncertainties(tmp_path):
    (tmp_path / "a.xy").write_text("1 2\n2 3\n3 5\n")
    assert read_measured(tmp_path / "a.xy").sigma is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 rows"),
        ("words only\n", "0 rows"),
        ("1 2\n2 3\nthree 4\n4 5\n", "line 3"),
        ("1 2\n2 3\n3 4 5\n", "3 columns"),
        ("1 2\n3 3\n2 4\n", "falls from 3 to 2"),
        ("1 2\n2 nan\n3 4\n", "not finite"),
        ("1 2 1\n2 2 -1\n3 4 1\n", "above 0"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, text, words):
    (tmp_path / "bad.xy").write_text(text)
    with pytest.raises(DataError, match=words):
        read_measured(tmp_path / "bad.xy")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="nothing.xy"):
        read_measured(tmp_path / "nothing.xy")


def test_r_w_is_that_of_its_definition():
    x = np.linspace(0.0, 5.0, 51)
    sigma = 0.1 + x
    measured = MeasuredPattern(x, 2.0 + np.sin(x), sigma)
    found = compare_with_measured(measured, x, np.full(51, 2.0), scale=False)
    by_hand = np.sqrt(np.sum((np.sin(x) / sigma) ** 2) / np.sum(((2.0 + np.sin(x)) / sigma) ** 2))
    assert found.r_w == pytest.approx(by_hand)
    assert found.scale == 1.0


def test_scale_and_background_are_found_under_noise():
    rng, x = np.random.default_rng(1), np.linspace(1.0, 6.0, 2001)
    curve = np.exp(-0.5 * ((x - 3.0) / 0.1) ** 2)
    measured = MeasuredPattern(x, 40.0 * curve + 5.0 + 2.0 * x + rng.normal(0.0, 0.5, x.size), np.full(x.size, 0.5))
    found = compare_with_measured(measured, np.linspace(0.0, 7.0, 7001), np.interp(np.linspace(0, 7, 7001), x, curve),
                                  background_degree=1)  # fmt: skip
    assert found.scale == pytest.approx(40.0, abs=0.3)
    np.testing.assert_allclose(found.background, 5.0 + 2.0 * x, atol=0.1)
    assert found.r_w == pytest.approx(0.5 / np.sqrt(np.mean(measured.y**2)), rel=0.05)


def test_no_common_range_is_refused():
    measured = MeasuredPattern(np.arange(5.0), np.ones(5))
    with pytest.raises(DataError, match="expected 3 or more"):
        compare_with_measured(measured, np.array([10.0, 11.0]), np.ones(2))
    with pytest.raises(DataError, match="background_degree"):
        compare_with_measured(measured, np.arange(5.0), np.ones(5), background_degree=7)
