"""Numbers and foreign texts as people read them."""

import pytest

from evalsuite.reporting import text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (text.points(0.6451), "64.5"),
        (text.points(None), "–"),
        (text.percent(0.9856), "98.6\N{NO-BREAK SPACE}%"),
        (text.percent(None), "–"),
        (text.short_percent(0.98), "98\N{NO-BREAK SPACE}%"),
        (text.short_percent(0.995), "99.5\N{NO-BREAK SPACE}%"),
        (text.byte_count(1536.0), "1,536"),
        (text.byte_count(196.5), "196.5"),
        (text.byte_count(None), "–"),
        (text.storage(6), "6\N{NO-BREAK SPACE}bytes"),
        (text.storage(1.536e9), "1.54\N{NO-BREAK SPACE}GB"),
        (text.factor(8.0), "8×"),
        (text.factor(10.67), "10.7×"),
        (text.factor(None), "–"),
        (text.duration(0.42), "0.4\N{NO-BREAK SPACE}s"),
        (text.duration(59.2), "59\N{NO-BREAK SPACE}s"),
        (text.duration(185), "3\N{NO-BREAK SPACE}min 5\N{NO-BREAK SPACE}s"),
        (text.duration(7800), "2\N{NO-BREAK SPACE}h 10\N{NO-BREAK SPACE}min"),
        (text.metric_title("ndcg@10"), "nDCG@10"),
        (text.metric_title("cosine_spearman"), "Cosine Spearman"),
        (text.plural(1, "task"), "1 task"),
        (text.plural(1200, "cell"), "1,200 cells"),
    ],
)
def test_numbers_read_as_written_by_hand(written, expected):
    """Each helper writes what a person would."""
    assert written == expected


def test_clean_keeps_scripts_and_drops_what_could_act():
    """Letters and emoji stay; terminal escapes, direction overrides and line breaks do not."""
    assert text.clean("שלום\n 🚀\t\x1b[31mred\u202e") == "שלום 🚀 [31mred"
    assert text.clean("384\N{NO-BREAK SPACE}MB") == "384\N{NO-BREAK SPACE}MB"


def test_shorten_keeps_both_ends():
    """Names differ at their ends, so the middle goes."""
    assert text.shorten("abcdefghij", 10) == "abcdefghij"
    assert text.shorten("abcdefghijk", 5) == "ab…jk"
