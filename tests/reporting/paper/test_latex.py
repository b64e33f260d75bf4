"""Tables for LaTeX: complete, balanced, and no text can break out."""

import re

from hypothesis import given
from hypothesis import strategies as st

from evalsuite.reporting.paper.latex import escape, latex_tables
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import realistic_run


def tables(text):
    """The environments of a file."""
    return re.findall(r"\\begin\{(table\*?)\}\[t\]\n(.*?)\\end\{\1\}", text, re.DOTALL)


def test_a_table_a_checkpoint_and_one_a_panel(minilm):
    """What to choose between, then every task of every checkpoint; labels are unique."""
    text = latex_tables(build_view([minilm, realistic_run("candidate", lower=3.0)]))
    assert len(tables(text)) == 2 + 6
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert labels == [f"tab:evalsuite-{number}" for number in range(1, 9)]
    assert r"\textbf{384/int8} & 384 & 1/4 &" in text
    assert r"\textbf{64.5}{\tiny$\,\pm$4.3}" in text
    assert "(300 queries)" in text


def test_rows_have_as_many_cells_as_columns(minilm, failing):
    """Each body is a well-formed booktabs table."""
    for _, body in tables(latex_tables(build_view([minilm, failing]))):
        columns = re.search(r"\\begin\{tabular\}\{(l?[lr]*)\}", body)[1]
        rows = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert len(rows) > 1
        assert all(len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1 for row in rows)
        for rule in ("toprule", "midrule", "bottomrule"):
            assert body.count(rf"\{rule}") == 1


def test_failed_cells_are_printed_as_failed(failing):
    """Nothing vanishes."""
    assert r"\emph{failed}" in latex_tables(build_view([failing]))


def test_hostile_names_are_only_text(nasty):
    """Every special character of LaTeX is escaped, wherever a name stands."""
    text = latex_tables(build_view([nasty]))
    assert r"\textless{}script\textgreater{}" in text
    assert r"\$x\_1\$" in text
    assert "\x1b" not in text


@given(st.text())
def test_escaped_text_holds_no_command_but_ours(text):
    """Whatever comes in, a backslash only begins one of the escapes, and braces stay balanced."""
    written = escape(text)
    known = r"\\(?:text(?:backslash|asciitilde|asciicircum|less|greater|bar|quotedbl)\{\}|times|[&%$#_{}])"
    left = re.sub(known, "", written.replace(r"$\times$", ""))
    assert not set('\\{}&%#_^<>|"') & set(left)
