"""What travels between the driver and the workers: plain values and arrays, written and read back here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.core.variant import PREFIX
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.stats.spread.sides import DocumentPass, Gathered, PassPlan
from evalsuite.stats.spread.stream import SampleSizes, SideStream
from evalsuite.stats.spread.sums import SideSums
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.lanes import Track
from evalsuite.sweep.losses import CodeLosses
from evalsuite.sweep.scan import Scan, Scanned
from evalsuite.sweep.spaces import Fitted, Space
from evalsuite.vectors.quantizers import quantizer
from evalsuite.vectors.search import Pairs, Ranking

Plain = Mapping[str, Any]
"""Numbers, texts, lists, dictionaries and arrays."""


def corpus_plain(corpus: StoredVectors, first: int) -> Plain:
    """Write down where vectors lie; `first` is the row of the first of them in the whole corpus."""
    paths = [str(Path(path).absolute()) for path in corpus.paths]
    return {"paths": paths, "places": corpus.places, "width": corpus.width, "first": first}


def to_corpus(plain: Plain) -> StoredVectors:
    """Read what `corpus_plain` wrote; the vectors stay on disk."""
    return StoredVectors([Path(path) for path in plain["paths"]], plain["places"], plain["width"])


def scan_plain(scan: Scan, name: str) -> Plain:
    """Write down what a scan looks for, without its corpus.

    Args:
        scan: The scan.
        name: What the fit is known by: workers fit once for all scans of this name.
    """
    calibration = scan.fitted.calibration
    needed = any(_needs_fit(track) for track in scan.tracks)
    return {
        "name": [name, needed],
        "sample": scan.sample,
        "queries": scan.queries,
        "depth": scan.depth,
        "watched": [scan.watch.query, scan.watch.document],
        "tracks": [_track_plain(track) for track in scan.tracks],
        "calibration": calibration.vectors if needed else calibration.vectors[:0],
        "seed": calibration.seed,
    }


def to_fitted(plain: Plain) -> Fitted:
    """Make the projections and quantizers of a scan: seeded, fitted on the very vectors the driver has."""
    return Fitted(Calibration(plain["calibration"], plain["seed"]))


def to_scan(plain: Plain, corpus: Plain, fitted: Fitted) -> Scan:
    """Read what `scan_plain` and `corpus_plain` wrote."""
    return Scan(
        corpus=to_corpus(corpus),
        queries=plain["queries"],
        fitted=fitted,
        depth=plain["depth"],
        watch=Pairs(*plain["watched"]),
        sample=plain["sample"],
        tracks=[_to_track(each) for each in plain["tracks"]],
        first=corpus["first"],
    )


def scanned_plain(found: Scanned) -> Plain:
    """Write down what a scan found: a list a quantity, in the order of `tracks`."""
    tracks, lossy = list(found.rankings), list(found.losses)
    rankings = [found.rankings[track] for track in tracks]
    return {
        "tracks": [_track_plain(track) for track in tracks],
        "rankings": [[each.rows, each.scores, each.boundary, each.watched] for each in rankings],
        "sampled": [found.sampled[track] for track in tracks],
        "seconds": [found.seconds[track] for track in tracks],
        "lossy": [_track_plain(track) for track in lossy],
        "losses": [_losses_plain(found.losses[track]) for track in lossy],
        "reasons": [[_track_plain(track), reason] for track, reason in found.reasons.items()],
    }


def to_scanned(plain: Plain) -> Scanned:
    """Read what `scanned_plain` wrote."""
    tracks = [_to_track(each) for each in plain["tracks"]]
    lossy = [_to_track(each) for each in plain["lossy"]]
    return Scanned(
        rankings=dict(zip(tracks, (Ranking(*each) for each in plain["rankings"]), strict=True)),
        sampled=dict(zip(tracks, plain["sampled"], strict=True)),
        losses=dict(zip(lossy, (_to_losses(each) for each in plain["losses"]), strict=True)),
        reasons={_to_track(track): reason for track, reason in plain["reasons"]},
        seconds=dict(zip(tracks, plain["seconds"], strict=True)),
    )


def merge_scanned(left: Plain, right: Plain, depth: int) -> Plain:
    """Join what was found in two parts of a corpus, the left one first."""
    return scanned_plain(to_scanned(left).then(to_scanned(right), depth))


def plan_plain(plan: PassPlan) -> Plain:
    """Write down what a pass over documents looks for."""
    sizes = dataclasses.asdict(plan.sizes)
    return {"dims": list(plan.dims), "seed": plan.seed, "sizes": sizes, "judged": plan.judged}


def to_plan(plain: Plain) -> PassPlan:
    """Read what `plan_plain` wrote."""
    return PassPlan(plain["dims"], plain["seed"], SampleSizes(**plain["sizes"]), plain["judged"])


def pass_plain(found: DocumentPass) -> Plain:
    """Write down what a pass over a run of documents gathered."""
    sums = found.stream.sums()
    fields = {field.name: getattr(sums, field.name) for field in dataclasses.fields(sums)}
    return {"sums": fields, "gathered": list(found.gathered.parts)}


def to_pass(plain: Plain, plan: PassPlan) -> DocumentPass:
    """Read what `pass_plain` wrote, as a finished pass."""
    gathered = Gathered(plan.judged[:, 1])
    gathered.parts = list(plain["gathered"])
    return DocumentPass(SideStream.of_sums(SideSums(**plain["sums"]), plan.sizes), gathered)


def merge_passes(left: Plain, right: Plain, size: int) -> Plain:
    """Join passes over two runs of documents, the left one first; `size` is that of the sample."""
    sums = SideSums(**left["sums"]).plus(SideSums(**right["sums"]), size)
    fields = {field.name: getattr(sums, field.name) for field in dataclasses.fields(sums)}
    return {"sums": fields, "gathered": [*left["gathered"], *right["gathered"]]}


def _needs_fit(track: Track) -> bool:
    """Tell whether a track is scored by anything learnt from vectors."""
    return track.space.projection != PREFIX or quantizer(track.precision).needs_fit


def _track_plain(track: Track) -> list[Any]:
    return [track.space.projection, track.space.dim, track.precision, track.mode]


def _to_track(plain: Sequence[Any]) -> Track:
    projection, dim, precision, mode = plain
    return Track(Space(projection, dim), precision, mode)


def _losses_plain(losses: CodeLosses) -> list[Any]:
    return [losses.noise.sums, losses.saturated, losses.clipped]


def _to_losses(plain: Sequence[Any]) -> CodeLosses:
    sums, saturated, clipped = plain
    losses = CodeLosses(saturated=list(saturated), clipped=list(clipped))
    losses.noise.sums = list(sums)
    return losses
