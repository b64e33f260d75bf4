"""Pool: the actors of a cluster, which share calls; one that dies is replaced and its call done again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalsuite.cluster.session import Shares
from evalsuite.cluster.worker import ClusterWorker
from evalsuite.core.errors import (
    CheckpointError,
    EncodingError,
    EvalsuiteError,
    StorageError,
    UsageError,
)

MOST_DEATHS = 2
"""A call that so many workers died over is given up."""

_ERRORS: dict[str, type[EvalsuiteError]] = {
    each.__name__: each for each in (CheckpointError, EncodingError, StorageError, UsageError)
}


@dataclass(frozen=True, eq=False)
class Call:
    """Something for one worker to do.

    Attributes:
        method: Name of the worker's method.
        arguments: What it is given; references are handed over without the driver seeing their content.
        about: What the caller knows the call by.
    """

    method: str
    arguments: Sequence[Any]
    about: Any = None


def _nothing(*_: object) -> None:
    """Take what is told, and do nothing."""


def known_error(name: str, message: str) -> EvalsuiteError:
    """Make an error that a worker named."""
    return _ERRORS.get(name, EncodingError)(message)


@dataclass(frozen=True)
class Hooks:
    """What the caller of `Pool.stream` has to say.

    Attributes:
        told: Called with a call and the items done since; negative when a worker died and they must be done
            again.
        accept: Called with a finished call and the reference to its result; what it raises is a failure.
        fails: Makes the error of a failed call from its class and message.
    """

    told: Callable[[Call, int], None] = _nothing
    accept: Callable[[Call, Any], None] = _nothing
    fails: Callable[[str, str], EvalsuiteError] = known_error


@dataclass(eq=False)
class Member:
    """An actor, and what is in its hands.

    Attributes:
        actor: Its handle.
        greeting: Reference to its process id; it is at work once that is there.
        pid: The process id; None until then.
        call: What it is doing; None if it waits.
        answers: The answers to come.
        items: Items of the call that it said are done.
    """

    actor: Any
    greeting: Any
    pid: int | None = None
    call: Call | None = None
    answers: Any = None
    items: int = 0

    @property
    def awaited(self) -> Any:
        """What is heard from it next; None if nothing."""
        return self.greeting if self.pid is None else self.answers


class Pool:
    """All workers of a run.

    Args:
        ray: The module, connected.
        shares: How many there are, and what each may use.
    """

    def __init__(self, ray: Any, shares: Shares) -> None:
        self.ray = ray
        self.shares = shares
        self._members: list[Member] = []

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that are at work."""
        return [member.pid for member in self._members if member.pid is not None]

    def busy_pid(self, about: Any) -> int | None:
        """Return the process id of the worker that has a call about something in its hands."""
        own = (each for each in self._members if each.call is not None and each.call.about is about)
        return next((each.pid for each in own), None)

    def start(self) -> None:
        """Hire as many workers as are missing; those that have room begin."""
        kind = self.ray.remote(ClusterWorker)
        options = kind.options(num_cpus=self.shares.threads, num_gpus=self.shares.gpus, max_restarts=0)
        while len(self._members) < self.shares.workers:
            actor = options.remote(self.shares.threads)
            self._members.append(Member(actor, actor.hello.remote()))

    def close(self) -> None:
        """End all workers. Calls in their hands are lost."""
        for member in self._members:
            self.ray.kill(member.actor)
        self._members = []

    def each(self, method: str, *arguments: Any) -> list[Any]:
        """Have every worker do the same, and return what they answer.

        Raises:
            EvalsuiteError: What a worker says.
        """
        calls = [Call(method, arguments, place) for place in range(self.shares.workers)]
        found = {call.about: self.ray.get(result) for call, result in self.stream(calls, one_each=True)}
        return [found[place] for place in range(self.shares.workers)]

    def tell(self, method: str) -> None:
        """Have every worker at work do something without an answer."""
        for member in self._members:
            getattr(member.actor, method).remote()

    def stream(
        self,
        calls: Iterable[Call],
        hooks: Hooks | None = None,
        *,
        one_each: bool = False,
    ) -> Iterator[tuple[Call, Any]]:
        """Do calls side by side; yield each with a reference to its result when it is done.

        A call whose worker died is given to another. After a failure nothing new is begun, what is in other
        workers' hands is still finished and yielded, and then the failure is raised.

        Args:
            calls: What to do.
            hooks: Who is told, asked and complained to.
            one_each: Whether no worker may do two of the calls.

        Raises:
            EvalsuiteError: If a worker fails, the caller does not accept, or workers die over the same call.
        """
        shift = _Shift(self, deque(calls), hooks or Hooks(), one_each)
        try:
            yield from shift.run()
        finally:
            for member in [each for each in self._members if each.call is not None]:
                self.dismiss(member)

    def members(self) -> list[Member]:
        """Return all workers, those that have not begun included."""
        return list(self._members)

    def dismiss(self, member: Member) -> None:
        """End a worker; `start` hires another in its place."""
        self.ray.kill(member.actor)
        self._members.remove(member)


@dataclass
class _Shift:
    """One call of `Pool.stream`: which calls wait, and what went wrong."""

    pool: Pool
    waiting: deque[Call]
    hooks: Hooks
    one_each: bool
    failure: EvalsuiteError | None = None
    deaths: Counter[Call] = field(default_factory=Counter)
    done_by: set[int] = field(default_factory=set)

    def run(self) -> Iterator[tuple[Call, Any]]:
        """Keep every worker busy until nothing is left."""
        while awaited := self._hand_out():
            ready, _ = self.pool.ray.wait(list(awaited), num_returns=1)
            for each in ready:
                found = self._listen(awaited[each])
                if found is not None:
                    yield found
        if self.failure is not None:
            raise self.failure

    def _hand_out(self) -> dict[Any, Member]:
        """Give waiting calls to idle workers; returns what is to be heard, and from whom."""
        wanted = bool(self.waiting) and self.failure is None
        if wanted:
            self.pool.start()
        members = self.pool.members()
        for member in members:
            free = member.pid is not None and member.call is None and id(member) not in self.done_by
            if free and self.waiting and self.failure is None:
                self._give(member, self.waiting.popleft())
        coming = self.waiting and self.failure is None
        return {
            each.awaited: each for each in members if each.call is not None or (each.pid is None and coming)
        }

    def _give(self, member: Member, call: Call) -> None:
        """Begin a call."""
        member.call, member.items = call, 0
        method = getattr(member.actor, call.method).options(num_returns="streaming")
        member.answers = method.remote(*call.arguments)

    def _listen(self, member: Member) -> tuple[Call, Any] | None:
        """Take one message in; returns the call and its result if it is done."""
        ray, call = self.pool.ray, member.call
        try:
            if call is None:
                member.pid = ray.get(member.greeting)
                return None
            head = ray.get(next(member.answers))
            if head["kind"] == "progress":
                member.items += head["items"]
                self.hooks.told(call, head["items"])
                return None
            result = next(member.answers) if head["kind"] == "done" else None
            return self._finish(member, call, head, result)
        except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError) as error:
            self._mourn(member, call, error)
            return None

    def _finish(
        self, member: Member, call: Call, head: dict[str, Any], result: Any
    ) -> tuple[Call, Any] | None:
        """Let a worker go on to its next call; returns the call and its result unless it failed."""
        failure = None
        try:
            if head["kind"] == "error":
                failure = self.hooks.fails(head["error"], head["message"])
            else:
                self.hooks.accept(call, result)
        except EvalsuiteError as refusal:
            failure = refusal
        member.call = member.answers = None
        if self.one_each:
            self.done_by.add(id(member))
        self.failure = self.failure or failure
        return (call, result) if failure is None else None

    def _mourn(self, member: Member, call: Call | None, error: Exception) -> None:
        """Replace a worker that died, or whose result was lost, and have its call done again."""
        self.pool.dismiss(member)
        if call is None:
            message = f"a worker of the cluster did not start: {error}"
            self.failure = self.failure or UsageError(message)
            return
        if member.items:
            self.hooks.told(call, -member.items)
        self.deaths[call] += 1
        if self.deaths[call] < MOST_DEATHS:
            self.waiting.appendleft(call)
        elif self.failure is None:
            cause = " ".join(str(error).split())
            message = (
                f"{MOST_DEATHS} workers of the cluster died over the same work ({call.method}); if memory "
                f"ran out, use fewer --workers; Ray says: {cause}"
            )
            self.failure = self.hooks.fails(EncodingError.__name__, message)
