"""Pairs are drawn and batched the same way every time, and bad files are named with their lines."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.ablation.pairs import Pairs, batches, load_pairs
from evalsuite.ablation.recipe import RecipeError, check_recipe
from tests.ablation.conftest import made_up_pairs, write_pairs


def laid_out(*counts):
    sources = np.repeat(np.arange(len(counts)), counts)
    return Pairs((), np.zeros((len(sources), 2), dtype=np.int64), sources)


@given(
    counts=st.lists(st.integers(4, 30), min_size=1, max_size=4),
    steps=st.integers(1, 30),
    seed=st.integers(0, 9),
    mixed=st.booleans(),
)
def test_batches_are_full_and_of_one_source(counts, steps, seed, mixed):
    """Every batch holds different pairs, of one source unless mixed, and the layout repeats."""
    pairs = laid_out(*counts)
    laid = batches(pairs, 4, steps, seed, mixed=mixed)
    assert len(laid) == steps
    for rows in laid:
        assert len(set(rows.tolist())) == 4
        assert mixed or len(set(pairs.sources[rows].tolist())) == 1
    again = batches(pairs, 4, steps, seed, mixed=mixed)
    assert all((one == two).all() for one, two in zip(laid, again, strict=True))


def test_an_epoch_uses_every_pair_once():
    """Where the batch divides the pairs, nothing is left out and nothing repeated."""
    laid = batches(laid_out(8, 12), 4, 5, 0, mixed=False)
    assert sorted(np.concatenate(laid).tolist()) == list(range(20))


def test_duplicates_are_dropped_and_texts_cut(raw, tmp_path):
    """Pairs that are equal once cut count once."""
    rows = [*made_up_pairs(12), ("same words here 1", "b"), ("same words here 2", "b")]
    raw["data"] = [{"path": str(write_pairs(tmp_path / "p.tsv", rows))}]
    train, held_out = load_pairs(check_recipe({**raw, "max_words": 3}, where=""))
    assert len(held_out) == 0
    assert sum(train.texts[number] == "same words here" for number in train.columns[:, 0]) == 1
    assert max(len(text.split()) for text in train.texts) == 3


def test_held_out_pairs_are_not_trained_on(raw):
    """The two parts share no pair, and the draw does not depend on the training seed."""
    raw["held_out"] = 5
    train, held_out = load_pairs(check_recipe(raw, where=""))
    assert len(held_out) == 5
    assert not {tuple(row) for row in train.columns.tolist()} & {
        tuple(row) for row in held_out.columns.tolist()
    }
    assert len(train) + len(held_out) == 48


def test_holding_every_pair_out_is_refused(raw, tmp_path):
    """Nothing would be left to train on, of all sources or of one."""
    few = write_pairs(tmp_path / "few.tsv", made_up_pairs(6, start=100))
    raw |= {"held_out": 6, "batch": 2, "data": [*raw["data"], {"path": str(few)}]}
    with pytest.raises(
        RecipeError, match=r"held_out: 6 pairs are kept from training, and .*few.tsv has only 6"
    ):
        load_pairs(check_recipe(raw, where=""))


def test_a_byte_order_mark_and_empty_lines_change_nothing(raw, tmp_path):
    """Spreadsheets write the one, people the other; a bad line keeps its number in the file."""
    file = tmp_path / "p.tsv"
    file.write_text("\ufeffanchor\tpositive\na\tb\n\nc\td\n", encoding="utf-8")
    raw |= {"batch": 2, "data": [{"path": str(file)}]}
    assert len(load_pairs(check_recipe(raw, where=""))[0]) == 2
    file.write_text("anchor\tpositive\na\tb\n\nc\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="line 4: not 2 texts"):
        load_pairs(check_recipe(raw, where=""))


def test_compressed_files_and_odd_separators_are_read(raw, tmp_path):
    """A text may hold the line separators of other scripts."""
    file = tmp_path / "p.tsv.gz"
    lines = ["anchor\tpositive", *(f"a{i}\u2028x\tb{i}" for i in range(8))]
    file.write_bytes(gzip.compress("\r\n".join(lines).encode()))
    raw["data"] = [{"path": str(file)}]
    train, _ = load_pairs(check_recipe(raw, where=""))
    assert len(train) == 8


def test_a_dataset_of_the_library_is_read(raw, tmp_path):
    """A folder saved by `datasets` gives the same pairs as a file."""
    datasets = pytest.importorskip("datasets")
    rows = made_up_pairs(10)
    columns = dict(zip(("anchor", "positive"), map(list, zip(*rows, strict=True)), strict=True))
    datasets.Dataset.from_dict(columns).save_to_disk(str(tmp_path / "saved"))
    raw["data"] = [{"dataset": str(tmp_path / "saved")}]
    train, _ = load_pairs(check_recipe(raw, where=""))
    assert {tuple(train.texts[n] for n in row) for row in train.columns} == set(rows)


def test_every_bad_file_is_named(raw, tmp_path):
    """A missing file, a wrong header, empty pairs, a broken line and too few pairs come in one message."""
    (tmp_path / "header.tsv").write_text("a\tb\nx\ty\n")
    sources = [
        tmp_path / "missing.tsv",
        tmp_path / "header.tsv",
        write_pairs(tmp_path / "empty.tsv", []),
        write_pairs(tmp_path / "broken.tsv", [("one",), ("a", " ")]),
        write_pairs(tmp_path / "few.tsv", made_up_pairs(3)),
    ]
    raw["data"] = [{"path": str(source)} for source in sources]
    with pytest.raises(RecipeError) as error:
        load_pairs(check_recipe(raw, where=""))
    told = str(error.value)
    for part in (
        "missing.tsv: cannot be read", "header.tsv: line 1: the header is", "empty.tsv: holds no pairs",
        "broken.tsv: line 2: not 2 texts", "broken.tsv: line 3: not 2 texts",
        "batch: 8 pairs a step, and", "few.tsv has only 3 to train on",
    ):  # fmt: skip
        assert part in told


def test_a_batch_larger_than_all_data_is_refused(raw):
    """Mixed batches are filled from all sources together."""
    raw |= {"batches": "mixed", "batch": 500}
    with pytest.raises(RecipeError, match="500 pairs a step, and there are only 48 to train on"):
        load_pairs(check_recipe(raw, where=""))


def test_some_hard_negatives_are_refused(raw, tmp_path):
    """Hard negatives are given for all pairs or for none."""
    rows = [(*pair, "negative") for pair in made_up_pairs(9)]
    raw["data"] += [{"path": str(write_pairs(tmp_path / "n.tsv", rows, "anchor\tpositive\tnegative"))}]
    with pytest.raises(RecipeError, match="either all or none"):
        load_pairs(check_recipe(raw, where=""))
