"""Reading the command line: lists after one option, commas, dimensions."""

import pytest

from evalsuite.cli.arguments import gather_values, mteb_options, parse_dims, split_names
from evalsuite.core.errors import UsageError

OPTIONS = ("--tasks", "--dims")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("run m --tasks a b c", "run m --tasks a --tasks b --tasks c"),
        ("run m --tasks a --tasks b", "run m --tasks a --tasks b"),
        ("run m --tasks a b --dims 64 32 --quiet", "run m --tasks a --tasks b --dims 64 --dims 32 --quiet"),
        ("run --tasks a m", "run --tasks a m"),
        ("run m n --tasks a", "run m n --tasks a"),
        ("run m --quiet --tasks a b", "run m --quiet --tasks a --tasks b"),
        ("run m --out d --tasks a b", "run m --out d --tasks a --tasks b"),
        ("run --out d m --tasks a b", "run --out d m --tasks a --tasks b"),
        ("run m --tasks=a b", "run m --tasks=a --tasks b"),
        ("run m --tasks a -- b", "run m --tasks a -- b"),
        ("run --quiet m --tasks a b", "run --quiet m --tasks a --tasks b"),
        ("report r s", "report r s"),
    ],
)
def test_an_option_takes_several_words_after_the_model(words, expected):
    """Words after a list option belong to it once the model is named; before, only the first does."""
    assert expected.split() == gather_values(words.split(), OPTIONS)


def test_commas_split_names_but_not_paths_or_benchmarks(tmp_path):
    """`a,b` is two names; an existing path and `MTEB(eng, v2)` keep their commas."""
    path = tmp_path / "with,comma"
    path.mkdir()
    assert ["a", "b", str(path), "MTEB(eng, v2)"] == split_names(["a,b", str(path), "MTEB(eng, v2)"])
    assert split_names(["MTEB(eng, v2),scifact"]) == ["MTEB(eng, v2)", "scifact"]


def test_dims_are_whole_numbers():
    """Commas and repetition both work; anything else is named."""
    assert parse_dims(["768,512", "64"]) == [768, 512, 64]
    assert parse_dims(None) is None
    with pytest.raises(UsageError, match=r"not whole numbers: x, 1\.5"):
        parse_dims(["64,x,1.5"])


def test_options_about_mteb_are_gathered(tmp_path, monkeypatch):
    """Lists take commas, the folder falls back to the environment's, and there are two roads."""
    monkeypatch.setenv("EVALSUITE_MTEB_DATA", str(tmp_path / "env"))
    options = mteb_options(["STS,Retrieval"], ["eng"], None, None, "mteb")
    assert (options.types, options.languages, options.domains) == (("STS", "Retrieval"), ("eng",), ())
    assert (options.data, options.road) == (tmp_path / "env", "mteb")
    assert mteb_options(None, None, None, tmp_path, "native").data == tmp_path
    with pytest.raises(UsageError, match="--road fast: there are two, native and mteb"):
        mteb_options(None, None, None, None, "fast")
