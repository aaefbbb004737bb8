"""The retry schedule and the rate limit, as pure functions of time and chance."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinyon.domain.delivery import RetryPolicy, TokenBucket

POLICY = RetryPolicy(base=1.0, cap=300.0)
FAILURES = st.integers(1, 10_000)
CHANCE = st.floats(0, 1, exclude_max=True)
ALMOST_ONE = 1 - 2**-53


@given(FAILURES, CHANCE)
@example(10_000, ALMOST_ONE)
def test_the_wait_lies_between_a_moment_and_the_cap(failures, chance):
    assert POLICY.base / 10 <= POLICY.delay(failures, chance) <= POLICY.cap


def test_the_longest_wait_doubles_up_to_the_cap():
    longest = [POLICY.delay(failures, ALMOST_ONE) for failures in range(1, 12)]
    assert longest == pytest.approx([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])


@given(FAILURES, CHANCE, CHANCE)
def test_jitter_is_full_so_that_lanes_do_not_return_together(failures, one, other):
    few, many = sorted((one, other))
    assert POLICY.delay(failures, few) <= POLICY.delay(failures, many)
    assert POLICY.delay(failures, 0.0) == POLICY.base / 10


@given(FAILURES, CHANCE, st.floats(0, 86_400))
@example(1, ALMOST_ONE, 0.0)
def test_a_time_that_the_vendor_names_is_the_least(failures, chance, named):
    delay = POLICY.delay(failures, chance, named)
    assert named <= delay <= max(2 * named, named + POLICY.base)


GAPS = st.lists(st.floats(0, 30), min_size=1, max_size=200)


def uses(bucket, gaps):
    """When each request goes out: as it is asked for, or after the wait it is told."""
    now, moments = 1_790_000_000.0, []
    for gap in gaps:
        now += gap
        now += bucket.take(now)
        moments.append(now)
    return moments


@given(st.sampled_from([1.0, 5.0, 60.0, 600.0, 5_000.0]), GAPS)
@example(5_000.0, [0.0] * 200)
def test_no_minute_sees_more_than_a_minute_and_a_burst(per_minute, gaps):
    moments = uses(TokenBucket(per_minute), gaps)
    most = per_minute * 1.1 + 1
    for start in moments:
        assert sum(start <= moment < start + 60 for moment in moments) <= most


def test_a_burst_is_let_through_and_then_paced():
    bucket = TokenBucket(600.0)  # ten a second, and a burst of six seconds
    waits = [bucket.take(100.0) for _ in range(63)]
    assert waits[:60] == [0.0] * 60
    assert waits[60:] == pytest.approx([0.1, 0.2, 0.3])


def test_several_takers_at_once_wait_in_turn():
    bucket = TokenBucket(60.0)
    waits = [bucket.take(50.0) for _ in range(10)]
    assert waits == pytest.approx([0.0] * 6 + [1, 2, 3, 4])


@given(st.floats(0, 100_000))
def test_a_clock_set_back_costs_no_more_than_what_was_taken(back):
    bucket = TokenBucket(60.0)
    bucket.take(1_790_000_000.0)
    assert bucket.take(1_790_000_000.0 - back) == 0.0


def test_no_rate_is_no_limit():
    bucket = TokenBucket(0.0)
    assert [bucket.take(1.0) for _ in range(1_000)] == [0.0] * 1_000
