"""What waits for a budget: strict classes, slots, and bounds; against a model and on a simulated link."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manual_clock import Clock

from klvrelay.shape.budget.budget import Budget
from klvrelay.shape.budget.classes import ClassQueue, Urgency

FOREVER, ENDLESS = 1e9, 1 << 60


def test_the_first_class_is_sent_first_however_late_it_came():
    pending: ClassQueue[str] = ClassQueue(FOREVER, ENDLESS)
    for priority in (Urgency.OTHER, Urgency.POSITION, Urgency.FRAMES, Urgency.ALERT, Urgency.AVAILABILITY):
        pending.put(priority, "uav1", priority.name, 0.0)
    assert [pending.pop(1.0).value for _ in range(5)] == ["ALERT", "AVAILABILITY", "POSITION", "OTHER", "FRAMES"]
    assert pending.first() is None
    with pytest.raises(LookupError):
        pending.pop(1.0)


def test_a_slot_holds_the_newest_value_and_the_time_of_the_first():
    pending: ClassQueue[int] = ClassQueue(FOREVER, ENDLESS)
    assert pending.put(Urgency.POSITION, "uav1", 1, 10.0) == []
    assert pending.put(Urgency.POSITION, "uav1", 2, 10.5) == [1]
    assert pending.waited(11.0) == 1.0
    assert pending.pop(11.0) == (Urgency.POSITION, 2, 1.0)
    assert pending.waited(12.0) == 0.0


def test_keys_of_a_class_take_turns():
    """A stream with many values does not delay another."""
    pending: ClassQueue[str] = ClassQueue(FOREVER, ENDLESS)
    for number in range(3):
        pending.put(Urgency.OTHER, "busy", f"busy {number}", 0.0, newest=False)
    pending.put(Urgency.OTHER, "calm", "calm 0", 0.0, newest=False)
    assert [pending.pop(0.0).value for _ in range(4)] == ["busy 0", "calm 0", "busy 1", "busy 2"]


def test_a_full_queue_loses_the_oldest_of_the_last_class():
    pending: ClassQueue[str] = ClassQueue(FOREVER, 300)
    for number in range(2):
        pending.put(Urgency.OTHER, "uav1", f"other {number}", 0.0, size=100, newest=False)
    assert pending.put(Urgency.POSITION, "uav1", "position", 0.0, size=100, newest=False) == []
    assert pending.put(Urgency.ALERT, "uav1", "alert", 0.0, size=100, newest=False) == ["other 0"]
    assert pending.queued == 300


def test_what_is_too_old_leaves_except_the_newest_and_alerts():
    pending: ClassQueue[str] = ClassQueue(2.0, ENDLESS)
    for number in range(3):
        pending.put(Urgency.OTHER, "uav1", f"other {number}", float(number), newest=False)
        pending.put(Urgency.ALERT, "uav1", f"alert {number}", float(number), newest=False)
    assert pending.expire(3.5) == ["other 0", "other 1"]
    assert pending.expire(100.0) == []
    assert sorted(pending.clear()) == ["alert 0", "alert 1", "alert 2", "other 2"]
    assert pending.count == pending.queued == 0


def test_a_retained_document_comes_at_last_though_others_always_wait():
    """It takes turns with the class before it, once."""
    pending: ClassQueue[str] = ClassQueue(FOREVER, ENDLESS)
    pending.put(Urgency.STATE, "link", "link", 0.0)
    taken = []
    for second in range(20):
        pending.put(Urgency.OTHER, "uav1", "other", float(second))
        pending.promote(float(second))
        taken.append(pending.pop(float(second)).value)
    assert taken.index("link") in (16, 17)
    assert taken.count("link") == 1


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(list(Urgency)), st.sampled_from("abc"), st.integers(0, 200), st.booleans(),
            st.floats(0.0, 1.0),
        ),
        st.just("pop"),
        st.just("expire"),
    ),
    max_size=120,
)  # fmt: skip


@settings(deadline=None)
@given(operations=OPERATIONS, age=st.floats(0.1, 3.0), size=st.integers(100, 1000))
def test_each_value_leaves_once_and_none_before_a_more_urgent_one(operations, age, size):
    """Every value is popped, displaced or left; counts and bytes are those of a model."""
    pending: ClassQueue[int] = ClassQueue(age, size)
    now, number = 0.0, 0
    waiting: dict[int, tuple[Urgency, object, int]] = {}
    for operation in operations:
        if operation == "pop":
            if waiting:
                taken = pending.pop(now)
                assert taken.priority == min(priority for priority, _, _ in waiting.values())
                same = [n for n, (priority, key, _) in waiting.items() if key == waiting[taken.value][1]]
                assert taken.value == min(same)
                del waiting[taken.value]
        elif operation == "expire":
            for value in pending.expire(now):
                assert waiting.pop(value)[0] is not Urgency.ALERT
        else:
            priority, name, each, newest, pause = operation
            now += pause
            key = (priority, name, newest)
            for value in pending.put(priority, key, number, now, size=each, newest=newest):
                left = waiting.pop(value)
                assert left[1] == key if newest else left[2] >= 0
            waiting[number] = (priority, key, 0 if newest else each)
            number += 1
        assert pending.count == len(waiting)
        assert pending.queued == sum(each for _, _, each in waiting.values())
        assert pending.first() == min((priority for priority, _, _ in waiting.values()), default=None)
    assert sorted(pending.clear()) == sorted(waiting)


@pytest.mark.parametrize("rate", [9_600, 64_000, 512_000])
@pytest.mark.parametrize(("streams", "bulk", "period"), [(1, 3000, 0.033), (4, 500, 0.04), (8, 100, 0.2)])
def test_no_load_of_a_lower_class_delays_a_higher_one(rate, streams, bulk, period):
    """On a simulated link, an alert waits for one message at most, and positions only for each other."""
    clock = Clock()
    budget = Budget(rate, clock)
    pending: ClassQueue[tuple[str, int]] = ClassQueue(2.0, rate // 8)
    end, next_alert, worst = clock.now + 10, clock.now + 1.0, dict.fromkeys(Urgency, 0.0)
    due = clock.now
    while clock.now < end:
        while due <= clock.now:
            for stream in range(streams):
                pending.put(Urgency.POSITION, stream, ("position", 60), due)
                pending.put(Urgency.OTHER, stream, ("bulk", bulk), due, size=bulk, newest=False)
            due += period
        if next_alert <= clock.now:
            pending.put(Urgency.ALERT, "alert", ("alert", 100), next_alert, newest=False)
            next_alert += 1.0
        pending.expire(clock.now)
        if pending.count and not budget.wait:
            taken = pending.pop(clock.now)
            budget.spend(taken.value[1])
            worst[taken.priority] = max(worst[taken.priority], taken.waited)
        clock.now += min(max(budget.wait, 1e-3), due - clock.now if due > clock.now else 1e-3)
    one = max(bulk, 100) * 8 / rate
    assert worst[Urgency.ALERT] <= one + 0.01
    assert worst[Urgency.POSITION] <= one + (streams * 60 + 200) * 8 / rate + 0.01
