"""Search as another tool does: the corpus is read once more, in that tool's chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evalsuite.core.variant import Variant
from evalsuite.sweep.spaces import Space
from evalsuite.vectors.protocols import protocol
from evalsuite.vectors.rescore import rerank
from evalsuite.vectors.search import Ranking, TopK

if TYPE_CHECKING:
    from evalsuite.sweep.search import CorpusSearch

Floats = npt.NDArray[np.float32]

BLOCK_DOCUMENTS = 4096


def search_protocol(search: CorpusSearch, variant: Variant) -> Ranking:
    """Rank the corpus by a compatibility protocol.

    Raises:
        UsageError: If the protocol cannot score these vectors, as its message says.
    """
    space = Space.of(variant)
    scoring = protocol(variant.scoring.mode, variant.precision)
    size = scoring.chunk or BLOCK_DOCUMENTS
    queries = search.fitted.cut(search.queries, space)

    def cut_blocks() -> Iterator[Floats]:
        for start in range(0, len(search.corpus), size):
            yield search.fitted.cut(search.corpus.block(start, start + size), space)

    scoring.fit(cut_blocks())
    prepared = scoring.queries(queries)
    best = TopK(len(queries), search.depth, search.watch)
    for number, block in enumerate(cut_blocks()):
        best.update(scoring.scores(prepared, block), number * size)
        search.advance(len(block))
    ranking = best.ranking()
    if not scoring.rescore_candidates:
        return ranking
    count = min(scoring.rescore_candidates, ranking.rows.shape[1])
    scores = np.empty((len(queries), count), dtype=np.float32)
    for query, rows in enumerate(ranking.rows[:, :count]):
        scores[query] = search.fitted.cut(search.corpus.take(rows), space) @ queries[query]
    return rerank(ranking, scores, search.watch)
