"""The newest messages in memory."""

from services.gateway.feed import Item
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
