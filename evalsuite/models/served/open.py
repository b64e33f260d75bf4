"""Opening a served model: one request of probe texts tells its width and whether it answers at all."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import json
from collections.abc import Iterator

from evalsuite.core.errors import CheckpointError, EncodingError, UsageError
from evalsuite.models.checkpoint import Checkpoint
from evalsuite.models.prompts import PromptBook
from evalsuite.models.registry import AUTO, choose_prompts
from evalsuite.models.served.address import Address
from evalsuite.models.served.client import ServedEncoder, ServedOptions
from evalsuite.models.served.key import api_key
from evalsuite.models.served.probe import PROBE_TEXTS, PROBE_TEXTS_DIGEST, Probe

SERVED_DTYPE = "as served"
USUAL_DTYPE = "float32"
_FIRST_RETRIES = 2


def open_served(
    source: str,
    options: ServedOptions | None = None,
    *,
    revision: str | None = None,
    dtype: str = USUAL_DTYPE,
    device: str | None = None,
    batch_size: int | None = None,
    prompts: str = AUTO,
) -> Checkpoint:
    """Open `openai:MODEL@URL`: the model behind any OpenAI-compatible `/v1/embeddings`.

    The server is asked once, for the vectors of the probe texts. Nothing of its weights is seen: the
    fingerprint is sha256 over URL, model name, width, prompts and probe texts, and the probe's vectors are
    kept beside the encoded ones, so that another model under the same name is found out.

    Args:
        source: The address.
        options: How the server is asked.
        revision: Must be None: servers do not tell one.
        dtype: The server's own to choose; another than the usual one is a warning.
        device: The server's own to choose; one given is a warning.
        batch_size: Texts a request, in place of that in `options`.
        prompts: No prompts by default; a name of mteb's registry takes its prompts.

    Raises:
        UsageError: If the address, the key or the prompts are not possible, or a revision is given.
        CheckpointError: If the server does not answer with vectors.
    """
    address = Address.parse(source)
    if revision is not None:
        message = f"{address.source}: a served model has no revision; leave {revision!r} out"
        raise UsageError(message)
    chosen = options or ServedOptions()
    if batch_size is not None:
        chosen = dataclasses.replace(chosen, batch_size=batch_size)
    book, notes = choose_prompts(prompts, "", PromptBook())
    probe = _probe(address, chosen)
    dim = probe.vectors.shape[1]
    parts = ["served", address.url, address.model, dim, dict(book.prompts), PROBE_TEXTS_DIGEST]
    return Checkpoint(
        label=address.model,
        source=address.source,
        fingerprint=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        dtype=SERVED_DTYPE,
        dim=dim,
        prompts=book,
        load=lambda: ServedEncoder(address, dim, chosen),
        warnings=(*_warnings(address, probe), *_not_applied(dtype, device), *notes),
        probe=probe,
    )


def _probe(address: Address, options: ServedOptions) -> Probe:
    """Ask for the probe texts; a server that is not there is not waited for long.

    Raises:
        CheckpointError: If it does not answer with vectors.
    """
    patience = dataclasses.replace(options.patience, retries=min(_FIRST_RETRIES, options.patience.retries))
    encoder = ServedEncoder(address, None, dataclasses.replace(options, patience=patience))
    try:
        return Probe(f"{address.model} at {address.url}", encoder.encode(PROBE_TEXTS, ""))
    except EncodingError as error:
        raise CheckpointError(str(error)) from error
    finally:
        encoder.close()


def _warnings(address: Address, probe: Probe) -> Iterator[str]:
    """Say what is not known about a served model, and where its key travels openly."""
    yield (
        f"served by {address.url}: known by its URL, its name and what it answers to {len(probe.texts)} "
        f"probe texts ({probe.digest}); its weights are not seen"
    )
    if not address.encrypted and not _is_local(address.host) and api_key(address.host, encrypted=False):
        yield f"the API key travels unencrypted to {address.host}; use https"


def _not_applied(dtype: str, device: str | None) -> Iterator[str]:
    """Say what was asked for that is the server's to choose."""
    if dtype != USUAL_DTYPE:
        yield f"the server chooses the number format; dtype {dtype} is not applied"
    if device is not None:
        yield f"the server chooses the device; device {device} is not applied"


def _is_local(host: str) -> bool:
    """Tell whether a name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
