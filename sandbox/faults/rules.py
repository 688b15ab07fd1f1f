"""Fault rules as values: which requests they mean, and what goes wrong with those."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_Count = Annotated[int, Meta(ge=1)]
_Seconds = Annotated[float, Meta(ge=0)]

_BATCH = "$batch"
_OUTCOMES = ("status", "drop", "truncate", "repeat_page", "expire", "partial", "garbage")
_CONDITIONS = ("delay_seconds", "stale_seconds", "skew_seconds")
_OF_A_STATUS = ("retry_after", "retry_after_date", "code", "message")


class FaultRuleError(ValueError):
    """A rule that cannot be; its text says which one, and what to change."""


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes wrong, and for which requests; a part that is not given matches all or does nothing.

    Attributes:
        system: "dataverse" or "finance".
        entity: Entity set, or "$batch".
        verb: HTTP method, or a bulk message or action by its short name (UpsertMultiple).
        in_batch: Mean the operations inside of a `$batch`, by their own entity and verb.
        skip: Let the first so many matching requests pass.
        count: How many matching requests it meets, all where None.
        probability: Chance with which it meets each matching request, 0 to 1.
        seed: Of the rule's own random numbers: the same requests meet the same faults.
        delay_seconds: Wait as long before anything else.
        stale_seconds: Let reads see the rows as they were so many seconds ago.
        skew_seconds: Let the system's clock be off by so many seconds, slow where negative.
        status: Answer this status instead of the real answer; the request takes no effect.
        retry_after: Seconds for the `Retry-After` header of that answer.
        retry_after_date: Send that header as an HTTP date.
        code: Error code of that answer.
        message: Error text of that answer.
        drop: Cut the connection "before" or "after" the request took effect, or "during" its answer.
        truncate: Leave out the end of the answer's body: half of it, or all but this share.
        repeat_page: Deliver a page of a list or delta, and then the same page once more.
        expire: Take a good "token" (401) or "delta" token (0x80044352) for an expired one.
        partial: Execute and answer the first so many parts of a `$batch` only; a changeset is one part.
        garbage: Answer 200 with a proxy's HTML page; the request takes no effect.
    """

    system: Literal["dataverse", "finance"] | None = None
    entity: str | None = None
    verb: str | None = None
    in_batch: bool = False
    skip: Annotated[int, Meta(ge=0)] = 0
    count: Annotated[int, Meta(ge=0)] | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    delay_seconds: _Seconds | None = None
    stale_seconds: _Seconds | None = None
    skew_seconds: float | None = None
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    retry_after: Annotated[int, Meta(ge=0)] | None = None
    retry_after_date: bool = False
    code: str | None = None
    message: str | None = None
    drop: Literal["before", "during", "after"] | None = None
    truncate: bool | Annotated[float, Meta(gt=0, lt=1)] = False
    repeat_page: bool = False
    expire: Literal["token", "delta"] | None = None
    partial: _Count | None = None
    garbage: bool = False

    @property
    def outcome(self) -> str | None:
        """What becomes of the request: the name of a part, None where it is only delayed or shifted."""
        return next((name for name in _OUTCOMES if self._given(name)), None)

    @property
    def kind(self) -> str:
        """The name under which `/sandbox/stats` counts the fault."""
        match self.outcome:
            case None:
                return next(name for name in _CONDITIONS if self._given(name)).removesuffix("_seconds")
            case "status":
                return f"in_batch_{self.status}" if self.in_batch else str(self.status)
            case "drop" | "expire" as outcome:
                return f"{outcome}_{getattr(self, outcome)}"
            case outcome:
                return outcome

    def _given(self, name: str) -> bool:
        value = getattr(self, name)
        return value is not None and value is not False

    def troubles(self) -> Iterator[str]:
        """Yield what does not go together in this rule."""
        outcomes = [name for name in _OUTCOMES if self._given(name)]
        conditions = [name for name in _CONDITIONS if self._given(name)]
        lost = [name for name in _OF_A_STATUS if self._given(name)]
        if len(outcomes) > 1:
            yield f"has {' and '.join(outcomes)}: choose one, and write a rule for each other one"
        if lost and self.status is None:
            yield f"has {' and '.join(lost)} without a status to go with"
        if not outcomes and not conditions:
            yield f"does nothing: give one of {', '.join((*_CONDITIONS, *_OUTCOMES))}"
        if self.retry_after_date and self.retry_after is None:
            yield "has retry_after_date without retry_after"
        if self.in_batch and (outcomes != ["status"] or conditions):
            yield "is in_batch, where only a status with its code and message can be answered"
        if self.partial is not None and self.entity not in {None, _BATCH}:
            yield f"is partial, which only a {_BATCH} can be: leave entity out"


def read_rules(body: object) -> tuple[FaultRule, ...]:
    """Read the rules of `PUT /sandbox/faults`: a list, or `{"rules": [...]}`.

    Raises:
        FaultRuleError: A rule has an unknown part, a part of the wrong kind, or parts that exclude
            each other.
    """
    rules = body.get("rules") if isinstance(body, dict) else body
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise FaultRuleError("Send a list of fault rules, each of them a JSON object.")
    return tuple(_read_rule(number, rule) for number, rule in enumerate(rules, start=1))


def _read_rule(number: int, body: dict[str, Any]) -> FaultRule:
    known = FaultRule.__struct_fields__
    if unknown := sorted(set(body) - set(known)):
        raise FaultRuleError(
            f"Unknown parts of fault rule {number}: {', '.join(unknown)}. Known: {', '.join(known)}."
        )
    try:
        rule = msgspec.convert(body, FaultRule)
    except msgspec.ValidationError as error:
        raise FaultRuleError(f"Fault rule {number} cannot be read: {error}.") from None
    if trouble := next(rule.troubles(), None):
        raise FaultRuleError(f"Fault rule {number} {trouble}.")
    return rule
