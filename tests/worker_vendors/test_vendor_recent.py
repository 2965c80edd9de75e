"""What was asked of a vendor lately is kept, within limits."""

from chat_worker.adapters.vendor_recent import Recent


def test_the_one_asked_for_longest_ago_makes_room() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)

    assert recent.get("a") == 1
    recent.put("c", 3)

    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


def test_an_answer_is_kept_for_its_time_and_renewed_by_the_next() -> None:
    now = [0.0]
    recent: Recent[str, int] = Recent(2, 10, clock=lambda: now[0])
    recent.put("a", 1)

    now[0] = 10
    assert recent.get("a") == 1
    now[0] = 10.5
    assert recent.get("a") is None

    assert recent.put("a", 2) == 2
    assert recent.get("a") == 2
