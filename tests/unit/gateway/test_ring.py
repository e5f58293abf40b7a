"""The newest messages in memory."""

from services.gateway.feed import Item
from services.gateway.feed_rules import Facts
from services.gateway.ring import Ring


def ring_of(count, size=10, start=0):
    ring = Ring(size)
    for offset in range(start, start + count):
        ring.append(Item(offset, f"d{offset}"))
    return ring


def offsets(items):
    return [item.offset for item in items]


def test_an_empty_ring_holds_nothing():
    ring = Ring(10)

    assert (ring.first, ring.last, list(ring.after(-1, 5)), ring.at(0)) == (None, None, [], None)


def test_items_come_after_an_offset_in_order():
    ring = ring_of(5, start=100)

    assert offsets(ring.after(99, 10)) == [100, 101, 102, 103, 104]
    assert offsets(ring.after(101, 2)) == [102, 103]
    assert offsets(ring.after(104, 2)) == []
    assert ring.at(103).digest == "d103"
    assert ring.at(105) is None


def test_the_oldest_make_room():
    ring = ring_of(1000, size=10)

    assert 990 >= ring.first >= 980
    assert ring.last.offset == 999
    assert offsets(ring.after(997, 10)) == [998, 999]


def test_what_was_said_before_a_ticket_became_private_is_public_no_more():
    ring = Ring(10)
    for offset, public, hides in ((0, True, False), (1, False, True), (2, True, False)):
        ring.append(Item(offset, "d", "{}", Facts("t", "s-1", public=public, hides=hides)))
    ring.append(Item(3, "d", "{}", Facts("t", "s-2", hides=True)))

    assert [item.facts.public for item in ring.after(-1, 10)] == [False, False, True, False]


def test_what_is_hidden_is_found_though_most_has_made_room():
    ring = Ring(10)
    for offset in range(25):
        ring.append(Item(offset, "d", "{}", Facts("t", f"s-{offset}", public=True)))
    ring.append(Item(25, "d", "{}", Facts("t", "s-24", hides=True)))

    assert not ring.at(24).facts.public
    assert ring.at(23).facts.public
