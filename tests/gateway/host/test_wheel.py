"""The timer wheel: nobody early, nobody forgotten, nobody twice."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.host.wheel import SLOT_MS, Wheel


@dataclass(eq=False)
class Owner:
    due: int | None
    slot: int = 0


def test_an_owner_comes_up_when_it_is_due() -> None:
    wheel: Wheel[Owner] = Wheel()
    owner = Owner(10_000)
    wheel.watch(owner)
    assert wheel.expired(9_999) == []
    assert wheel.expired(10_000 + SLOT_MS) == [owner]
    assert wheel.expired(99_999) == []


def test_a_postponed_owner_waits_for_its_new_time() -> None:
    wheel: Wheel[Owner] = Wheel()
    owner = Owner(1_000)
    wheel.watch(owner)
    owner.due = 5_000
    wheel.watch(owner)
    assert wheel.expired(1_200) == []
    assert wheel.expired(5_100) == [owner]


def test_an_owner_that_became_urgent_comes_earlier() -> None:
    wheel: Wheel[Owner] = Wheel()
    owner = Owner(60_000)
    wheel.watch(owner)
    owner.due = 2_000
    wheel.watch(owner)
    assert wheel.next_due() == 2_000
    assert wheel.expired(2_000) == [owner]
    assert wheel.expired(61_000) == []


def test_an_owner_without_a_deadline_never_comes() -> None:
    wheel: Wheel[Owner] = Wheel()
    owner = Owner(1_000)
    wheel.watch(owner)
    owner.due = None
    assert wheel.expired(10_000) == []


@settings(derandomize=True, max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 5_000)), st.integers(0, 700)),
        max_size=60,
    )
)
def test_the_wheel_agrees_with_a_list(moves: list[tuple[int, int | None, int]]) -> None:
    wheel: Wheel[Owner] = Wheel()
    owners = [Owner(None) for _ in range(6)]
    now = 0
    for number, after, passed in moves:
        owner = owners[number]
        owner.due = None if after is None else now + after
        wheel.watch(owner)
        now += passed
        came = wheel.expired(now)
        assert len(set(map(id, came))) == len(came)
        for one in came:
            assert one.due is not None
            assert one.due <= now
            one.due = None
        for one in owners:
            assert one.due is None or one.due > now - SLOT_MS
