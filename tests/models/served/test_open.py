"""Opening a served model: identity, warnings, prompts, and drift between runs."""

import dataclasses

import numpy as np
import pytest

from evalsuite import open_checkpoint
from evalsuite.core.errors import CheckpointError, UsageError
from evalsuite.core.progress import Silent
from evalsuite.embeddings.drift import hold_to_probe
from evalsuite.embeddings.store import EmbeddingStore
from evalsuite.models.fake import FakeEncoder, fake_checkpoint
from evalsuite.models.served import open as opening
from evalsuite.models.served.open import open_served
from evalsuite.models.served.probe import PROBE_TEXTS
from tests.models.served import server as bad
from tests.models.served.server import DIM


def test_opening_asks_for_the_probe_and_nothing_else(serve):
    """One request tells the width; the label is the model's name, the source the address in one spelling."""
    server = serve()
    found = open_checkpoint(f"openai:fake@{server.url}/v1/")
    assert server.texts == list(PROBE_TEXTS)
    assert (found.label, found.dim, found.dtype) == ("fake", DIM, "as served")
    assert found.source == f"openai:fake@{server.url}/v1/embeddings"
    assert any("its weights are not seen" in warning for warning in found.warnings)
    np.testing.assert_allclose(
        found.encoder().encode(["tide"], "x: "), FakeEncoder(DIM).encode(["x: tide"], ""), atol=1e-6
    )


def test_the_identity_is_address_name_and_width(serve):
    """Another name or URL is another model; the same one again, whatever it answers, is the same."""
    first, second = serve(), serve()
    known = open_served(first.source)
    assert open_served(first.source + "/v1").fingerprint == known.fingerprint
    assert len(known.fingerprint) == 64
    others = {
        open_served(f"openai:other@{first.url}").fingerprint,
        open_served(second.source).fingerprint,
        open_served(f"{first.source}/team/v1").fingerprint,
        known.fingerprint,
    }
    assert len(others) == 4
    assert open_served(first.source, batch_size=3).fingerprint == known.fingerprint


def test_prompts_of_the_registry_are_part_of_the_identity(serve):
    """No prompts by default; those asked for by name are used and make another fingerprint."""
    source = serve().source
    plain, prompted = open_checkpoint(source), open_checkpoint(source, prompts="intfloat/e5-base-v2")
    assert plain.prompts.render("query", "Retrieval", "any", "tide") == ("", "tide")
    assert prompted.prompts.render("query", "Retrieval", "any", "tide") == ("query: ", "tide")
    assert plain.fingerprint != prompted.fingerprint


def test_what_the_server_chooses_is_a_warning(serve):
    """A dtype or device asked for is said not to be applied."""
    warnings = open_checkpoint(serve().source, dtype="bfloat16", device="cpu").warnings
    assert sum("is not applied" in warning for warning in warnings) == 2
    assert not any("is not applied" in warning for warning in open_checkpoint(serve().source).warnings)


def test_a_revision_is_refused(serve):
    """Servers do not tell one, so none is pretended."""
    with pytest.raises(UsageError, match="no revision"):
        open_checkpoint(serve().source, revision="main")


@pytest.mark.parametrize(
    ("host", "encrypted", "warned"),
    [
        ("localhost", False, False),
        ("127.0.0.9", False, False),
        ("::1", False, False),
        ("far.example", True, False),
        ("far.example", False, True),
        ("10.0.0.1", False, True),
    ],
)
def test_a_key_that_travels_openly_is_a_warning(host, encrypted, warned, monkeypatch):
    """Plain HTTP to another machine shows the key to everybody on the way."""
    address = opening.Address(
        "m", f"http{'s' * encrypted}://{f'[{host}]' if ':' in host else host}/v1/embeddings"
    )
    probe = opening.Probe("m", np.ones((len(PROBE_TEXTS), 2), np.float32))
    assert not any("unencrypted" in warning for warning in opening._warnings(address, probe))
    monkeypatch.setenv("EVALSUITE_API_KEY", "s3cret-key")
    assert any("unencrypted" in warning for warning in opening._warnings(address, probe)) == warned


@pytest.mark.parametrize("behave", [bad.status(404, "no such model"), bad.status(401), bad.half_json])
def test_a_server_that_does_not_answer_cannot_be_opened(behave, serve, quick):
    """It is the user's to fix, and few attempts are made."""
    server = serve(always=lambda _: behave)
    with pytest.raises(CheckpointError, match=f"fake at {server.url}"):
        open_served(server.source, quick)
    assert len(server.requests) <= 3


def test_drift_between_runs_is_an_error(serve, tmp_path):
    """A model swapped behind the same name is not the one whose vectors are stored; the error names both."""
    server, store = serve(), EmbeddingStore(tmp_path)
    first, again = open_served(server.source), open_served(server.source)
    hold_to_probe(first, store.space(first.fingerprint, first.label), Silent())
    hold_to_probe(again, store.space(again.fingerprint, again.label), Silent())
    server.encoder = FakeEncoder(DIM, seed=1)
    swapped = open_served(server.source)
    with pytest.raises(CheckpointError, match=r"fake at .* drifted") as caught:
        hold_to_probe(swapped, store.space(swapped.fingerprint, swapped.label), Silent())
    assert first.probe.digest in str(caught.value)
    assert swapped.probe.digest in str(caught.value)


def test_the_probe_in_the_store_is_that_of_the_first_run(serve, tmp_path):
    """Slow drift cannot creep along: every run is held to the first, not to the one before."""
    space = EmbeddingStore(tmp_path).space("f" * 64, "m")
    checkpoint = open_served(serve().source)
    first = checkpoint.probe
    step = np.zeros_like(first.vectors)
    step[:, 0] = 0.01
    hold_to_probe(checkpoint, space, Silent())
    near = dataclasses.replace(first, vectors=first.vectors + step)
    hold_to_probe(dataclasses.replace(checkpoint, probe=near), space, Silent())
    far = dataclasses.replace(first, vectors=first.vectors + 2 * step)
    near.check(far.vectors)
    with pytest.raises(CheckpointError, match="drifted"):
        hold_to_probe(dataclasses.replace(checkpoint, probe=far), space, Silent())


def test_models_known_by_their_files_have_no_probe(tmp_path):
    """Nothing is stored for them, and nothing compared."""
    space = EmbeddingStore(tmp_path).space("f" * 64, "m")
    hold_to_probe(fake_checkpoint(8), space, Silent())
    assert list(space.shards()) == []
