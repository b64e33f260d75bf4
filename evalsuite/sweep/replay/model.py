"""ReplayModel: a model in mteb's eyes that never runs, but serves stored vectors at one variant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.sweep.replay.library import Library
from evalsuite.sweep.replay.serve import Server
from evalsuite.sweep.replay.texts import read_corpus, read_inputs, read_queries, role_of

Floats = npt.NDArray[np.float32]


class ReplayModel:
    """Implements mteb's `EncoderProtocol` and `SearchProtocol`; mteb prefers the search where a task has one.

    Args:
        library: Stored vectors.
        server: The variant at work.
    """

    def __init__(self, library: Library, server: Server) -> None:
        self._library = library
        self._server = server
        self._corpus: tuple[list[str], StoredVectors] | None = None
        self.mteb_model_meta = model_meta(library.checkpoint)

    def encode(self, inputs: Any, *, task_metadata: Any, prompt_type: Any = None, **ignored: Any) -> Floats:
        """Serve the vectors of the texts behind a data loader: float32 (texts, dim)."""
        del ignored
        role = role_of(prompt_type)
        vectors = self._library.vectors(role, read_inputs(inputs, role), task_metadata)
        return self._server.serve(vectors.all())

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Compare all with all by cosine, as mteb compares the vectors of most models."""
        from mteb.similarity_functions import cos_sim

        return cos_sim(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Any:
        """Compare row by row by cosine."""
        from mteb.similarity_functions import pairwise_cos_sim

        return pairwise_cos_sim(embeddings1, embeddings2)

    def index(self, corpus: Any, *, task_metadata: Any, **ignored: Any) -> None:
        """Take in the corpus that is searched next."""
        del ignored
        identities, documents = read_corpus(corpus)
        self._corpus = identities, self._library.vectors("document", documents, task_metadata)

    def search(
        self,
        queries: Any,
        *,
        task_metadata: Any,
        top_k: int,
        top_ranked: Mapping[str, list[str]] | None = None,
        **ignored: Any,
    ) -> dict[str, dict[str, float]]:
        """Search the corpus, or rank each query's candidates, by the variant's own scoring and one tie rule.

        Returns:
            Query id to document id to score, best first.
        """
        del ignored
        if self._corpus is None:
            message = "search was called before index"
            raise RuntimeError(message)
        identities, corpus = self._corpus
        names, texts = read_queries(queries, task_metadata)
        vectors = self._library.vectors("query", texts, task_metadata)
        if top_ranked is not None:
            return self._rerank(names, vectors, top_ranked, top_k)
        ranking = self._server.search(corpus, vectors.all(), top_k)
        return {
            name: {identities[row]: float(score) for row, score in zip(rows, scores, strict=True)}
            for name, rows, scores in zip(
                names, ranking.rows[:, :top_k], ranking.scores[:, :top_k], strict=True
            )
        }

    def _rerank(
        self, names: list[str], queries: StoredVectors, candidates: Mapping[str, list[str]], top_k: int
    ) -> dict[str, dict[str, float]]:
        """Rank the candidates of each query; a query without any finds nothing."""
        identities, corpus = self._corpus or ([], queries)
        place = {identity: row for row, identity in enumerate(identities)}
        search = self._server.rerank(corpus, queries.all())
        results: dict[str, dict[str, float]] = {}
        for number, name in enumerate(names):
            rows = np.unique([place[each] for each in candidates.get(name, [])]).astype(np.int64)
            found, scores = search.rank(number, rows) if len(rows) else (rows, rows)
            pairs = zip(found[:top_k], scores[:top_k], strict=True)
            results[name] = {identities[row]: float(score) for row, score in pairs}
        return results


def model_meta(checkpoint: Checkpoint) -> Any:
    """Describe a checkpoint to mteb, under a name that no other checkpoint has."""
    from mteb.models.model_meta import ModelMeta, ScoringFunction

    label = re.sub(r"[^A-Za-z0-9.]+", "-", checkpoint.label).strip("-.") or "model"
    return ModelMeta.create_empty(
        overwrites={
            "name": f"evalsuite/{label}-{checkpoint.fingerprint[:12]}",
            "revision": checkpoint.fingerprint,
            "similarity_fn_name": ScoringFunction.COSINE,
        }
    )
