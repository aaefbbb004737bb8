"""The way out: back-off that all batches of a lane share, pauses that end by themselves, and the rate limit."""

import asyncio

import pytest
from delivering import KINDS, NOW, PACE, PIN, SHOP, Stage, order

from pinyon.domain.delivery import TokenBucket
from pinyon.domain.lane import Place
from pinyon.flows.gate import ATTEMPTS_KEPT, Gate
from pinyon.flows.route import Ready, Routed
from pinyon.ports.telemetry import Silent
from pinyon.testing.running import in_loop
from pinyon.testing.sender import accept, failure, reply, verdicts

ROUTER = KINDS.router(PIN, (SHOP,))
TOKEN_REFUSED = reply(401, {"code": 2, "message": "Authentication failed."})
WRONG_ACCOUNT = reply(403, {"code": 29, "message": "Not permitted."})
UNAVAILABLE = reply(503)
CAP = PACE.retry.cap


class Told(Silent):
    def __init__(self):
        self.attempts = []

    def attempted(self, *, destination_id, status, result, events, seconds):
        self.attempts.append((destination_id, status, result, events, seconds))


def batch(*ids):
    """Events that are routed; their payloads are valid."""
    payload = (
        b'{"event_name":"lead","action_source":"web","event_time":1790000000,"event_id":"%s","user_data":{"em":["%s"]}}'
    )
    return [
        Routed(
            Place(1, index),
            SHOP.id,
            id_,
            NOW,
            bytes(8),
            Ready("lead", id_, "", payload % (id_.encode(), b"a" * 64), None),
        )
        for index, id_ in enumerate(ids)
    ]


async def gate(stage, per_minute=0.0):
    return Gate(await stage.lane(), TokenBucket(per_minute), stage.tools, stage.pace)


async def attempt(stage, gate_, *ids):
    attempts = []
    verdict = await gate_.attempt(ROUTER.connection, batch(*ids), attempts)
    return verdict, attempts


@in_loop
async def test_back_off_grows_up_to_the_cap_and_starts_anew_after_an_answer():
    stage = Stage(*[UNAVAILABLE] * 12, accept, UNAVAILABLE)
    way_out = await gate(stage)
    await attempt(stage, way_out, "e-1")
    for failures, slept in enumerate(stage.clock.sleeps, start=1):
        assert 0.1 - 1e-6 <= slept <= min(CAP, 2 ** (failures - 1)) + 1e-6
    assert len(stage.clock.sleeps) == 12
    await attempt(stage, way_out, "e-2")
    assert stage.clock.sleeps[-1] <= 1.0 + 1e-6


@in_loop
async def test_the_time_that_the_vendor_names_is_waited_for():
    stage = Stage(reply(429, {"code": 8, "message": "Slow down."}, retry_after="40"))
    await attempt(stage, await gate(stage), "e-1")
    assert 40 <= stage.clock.now() - NOW <= 80


@in_loop
async def test_a_longer_time_named_later_counts_although_the_gate_is_closed():
    stage = Stage(UNAVAILABLE, reply(429, None, retry_after="500"))
    way_out = await gate(stage)
    await asyncio.gather(attempt(stage, way_out, "e-1"), attempt(stage, way_out, "e-2"))
    assert stage.clock.now() - NOW >= 500
    assert len(stage.sender.batches) == 4


@in_loop
async def test_batches_that_fail_together_count_as_one_failure():
    stage = Stage(*[UNAVAILABLE] * 8)
    way_out = await gate(stage)
    await asyncio.gather(*(attempt(stage, way_out, f"e-{number}") for number in range(8)))
    assert stage.clock.now() - NOW <= 1.0 + 1e-6
    assert len(stage.sender.batches) == 16


@in_loop
async def test_answers_that_judge_nothing_back_off_more_and_more():
    """Each is a fresh request with the same events: at the first pace they would be sent twice a second for ever."""
    stage = Stage(*[verdicts(["pending"])] * 30)
    way_out = await gate(stage)
    for _ in range(30):
        verdict, _ = await attempt(stage, way_out, "e-1")
        assert len(verdict.outcomes) == 1
    await attempt(stage, way_out, "e-1")
    assert stage.clock.now() - NOW > 600
    assert max(stage.clock.sleeps) > 60


@pytest.mark.parametrize("refusal", [TOKEN_REFUSED, WRONG_ACCOUNT, reply(404)])
@in_loop
async def test_refused_credentials_pause_the_lane_until_a_probe_gets_through(refusal):
    stage = Stage(refusal, refusal, refusal)
    seen = []

    async def accept_and_look(request):
        seen.append(await stage.lane())
        return accept(request)

    stage.sender.otherwise = accept_and_look
    verdict, attempts = await attempt(stage, await gate(stage), "e-1")
    [paused] = seen
    assert paused.paused.startswith(attempts[0].result)
    assert paused.paused_at == NOW
    assert len(verdict.outcomes) == 1
    assert stage.clock.sleeps == [CAP] * 3
    assert (await stage.lane()).paused == ""
    assert [each.status for each in attempts] == [refusal.status] * 3 + [200]


@in_loop
async def test_the_reason_of_a_pause_is_the_newest_one():
    stage = Stage(TOKEN_REFUSED, WRONG_ACCOUNT)
    seen = []

    async def accept_and_look(request):
        seen.append((await stage.lane()).paused)
        return accept(request)

    stage.sender.otherwise = accept_and_look
    await attempt(stage, await gate(stage), "e-1")
    assert seen == ["account_refused: Not permitted. (code 29)"]


@in_loop
async def test_all_batches_stand_still_while_the_lane_is_paused():
    stage = Stage(TOKEN_REFUSED, TOKEN_REFUSED, TOKEN_REFUSED)
    way_out = await gate(stage)
    await asyncio.gather(*(attempt(stage, way_out, f"e-{number}") for number in range(3)))
    assert stage.clock.now() == NOW + CAP
    assert (await stage.lane()).paused == ""


@in_loop
async def test_a_lane_that_was_paused_before_a_restart_runs_again_after_the_first_answer():
    stage = Stage()
    lane = await stage.lane()
    await stage.lanes.pause(lane.id, reason="token_refused: old", now=NOW - 60)
    await attempt(stage, await gate(stage), "e-1")
    assert (await stage.lane()).paused == ""
    assert stage.clock.sleeps == []


@in_loop
async def test_a_refusal_of_the_request_is_an_answer():
    stage = Stage(reply(400, {"code": 4196, "message": "Invalid."}))
    verdict, [only] = await attempt(stage, await gate(stage), "e-1")
    assert (verdict.reason, verdict.words) == ("invalid", "Invalid. (code 4196)")
    assert (only.status, only.result) == (400, "invalid")
    assert stage.clock.sleeps == []


@in_loop
async def test_every_attempt_is_told_and_the_newest_are_kept():
    failures = ATTEMPTS_KEPT + 5
    stage = Stage(
        *[failure("timeout")] * failures, reply(200, {"events": [{"status": "processed"}]}, x_pinterest_rid="r")
    )
    told = Told()
    stage.tools = type(stage.tools)(stage.log, stage.lanes, stage.sender, stage.clock, told)
    _, attempts = await attempt(stage, await gate(stage), "e-1")
    assert len(attempts) == ATTEMPTS_KEPT
    assert (attempts[-1].result, attempts[-1].reference) == ("answered", "r")
    assert len(told.attempts) == failures + 1
    assert told.attempts[0] == (PIN.id, 0, "timeout", 1, 0.0)


@in_loop
async def test_an_attempt_knows_when_it_began_and_how_long_it_took():
    stage = Stage()

    def slow(request):
        stage.clock.advance(2.5)
        return accept(request)

    stage.sender.otherwise = slow
    _, [only] = await attempt(stage, await gate(stage), "e-1")
    assert (only.at, only.seconds) == (NOW, 2.5)


@in_loop
async def test_the_rate_limit_spaces_requests():
    stage = Stage()
    way_out = await gate(stage, per_minute=60.0)  # one a second, and a burst of six
    for number in range(10):
        await attempt(stage, way_out, f"e-{number}")
    assert stage.clock.now() - NOW == pytest.approx(4.0)


@in_loop
async def test_no_secret_and_no_person_in_what_is_logged(capsys):
    stage = Stage(TOKEN_REFUSED, UNAVAILABLE)
    person = {"ip": "203.0.113.9", "userAgent": "Mozilla/5.0", "traits": {"email": "jane@example.com"}}
    await stage.lane()
    await stage.collect(order("e-1", context=person))
    await stage.deliver()
    logged = capsys.readouterr().out
    assert "lane.paused" in logged
    assert "delivery.attempted" in logged
    for secret in ("pina_1", "203.0.113.9", "jane", stage.sender.sent[0][0]["user_data"]["em"][0]):
        assert secret not in logged
