"""The waiting records and gaps of one sink: a queue for each stream, which take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from klvrelay.gap import Gap, Item
from klvrelay.outcome import Reason
from klvrelay.record import Record
from klvrelay.spool.age import is_aged
from klvrelay.spool.queue import OVERHEAD, Queue, size_of
from klvrelay.spool.shares import Load


class Waiting:
    """The waiting items.

    count   their number
    size    bytes of the records among them
    gaps    number of gaps among them
    """

    __slots__ = ("_queues", "count", "gaps", "size")

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}  # non-empty queues by stream, the next in turn first
        self.count = self.size = self.gaps = 0

    def take(self, most: int, size: int, batch: list[Item]) -> tuple[int, int]:
        """Move items to a batch, from each stream in turn. Returns the bytes and the number of gaps of these."""
        taken = gaps = 0
        queues, before = self._queues, len(batch)
        for _ in range(min(most, self.count)):
            if taken >= size:
                break
            stream = next(iter(queues))
            queue = queues.pop(stream)
            item = queue.items.popleft()
            batch.append(item)
            if item.__class__ is Gap:
                queue.gaps -= 1
                gaps += 1
            else:
                its_size = len(item.raw) + OVERHEAD
                taken += its_size
                queue.size -= its_size
            if queue.items:
                queues[stream] = queue  # now last in turn
        self.count -= len(batch) - before
        self.size -= taken
        self.gaps -= gaps
        return taken, gaps

    def append(self, record: Record, size: int) -> None:
        """Append a record of `size` bytes."""
        queue = self._queues.get(record.stream)
        if queue is None:
            queue = self._queues[record.stream] = Queue()
        queue.items.append(record)
        queue.size += size
        self.count += 1
        self.size += size

    def append_gap(self, gap: Gap) -> None:
        """Append a gap, after all items of its stream."""
        added = self._queue(gap.stream).add_last(gap)
        self.count += added
        self.gaps += added

    def put_first(self, item: Item) -> None:
        """An item waits before all others of its stream."""
        added = self._queue(item.stream).add_first(item)
        self.count += added
        if isinstance(item, Gap):
            self.gaps += added
        else:
            self.size += size_of(item)

    def _queue(self, stream: str) -> Queue:
        queue = self._queues.get(stream)
        if queue is None:
            queue = self._queues[stream] = Queue()
        return queue

    def put_back(self, items: list[Item]) -> None:
        """These items wait before all others, in their order; their streams are the next in turn."""
        first = {item.stream: self._queues.get(item.stream) or Queue() for item in items}
        self._queues = first | self._queues
        for item in reversed(items):
            self.put_first(item)

    def set_aside(self) -> Item:
        """Remove the next item. A record leaves a gap."""
        stream, queue = next(iter(self._queues.items()))
        first = queue.items[0]
        if not isinstance(first, Gap):
            return self.shed(stream, "set_aside")
        queue.items.popleft()
        queue.gaps -= 1
        self.gaps -= 1
        self.count -= 1
        if not queue.items:
            del self._queues[stream]
        return first

    def shed(self, stream: str, reason: Reason) -> Record:
        """Replace the oldest record of a stream, which is then last in turn, by a gap."""
        queue = self._queues.pop(stream)
        gaps = queue.gaps
        record, added = queue.remove(reason)
        self._queues[stream] = queue
        self.gaps += queue.gaps - gaps
        self.count += added
        self.size -= size_of(record)
        return record

    def shed_where(self, is_shed: Callable[[Record], bool], reason: Reason) -> list[Record]:
        """Replace records by gaps."""
        shed: list[Record] = []
        for queue in self._queues.values():
            size, gaps = queue.size, queue.gaps
            records, added = queue.shed_where(is_shed, reason)
            shed += records
            self.count += added
            self.size += queue.size - size
            self.gaps += queue.gaps - gaps
        return shed

    def shed_aged(self, before_us: int) -> list[Record]:
        """Replace the records that arrived before this time, from the oldest on, by gaps."""
        shed: list[Record] = []
        for stream, queue in list(self._queues.items()):
            while (oldest := queue.oldest()) is not None and is_aged(oldest, before_us):
                shed.append(self.shed(stream, "age"))
        return shed

    def oldest(self, stream: str) -> Record | None:
        """The oldest record of a stream."""
        queue = self._queues.get(stream)
        return None if queue is None else queue.oldest()

    def loads(self) -> dict[str, Load]:
        """Number and bytes of the records by stream."""
        return {stream: (queue.count, queue.size) for stream, queue in self._queues.items()}

    def load(self, stream: str) -> tuple[Load, int]:
        """Number and bytes of the records of a stream; and how many streams there are, with this one."""
        queue = self._queues.get(stream)
        if queue is None:
            return (0, 0), len(self._queues) + 1
        return (queue.count, queue.size), len(self._queues)

    def items(self) -> Iterable[Item]:
        """All items, per stream in order."""
        return (item for queue in self._queues.values() for item in queue.items)

    def clear(self) -> None:
        self._queues.clear()
        self.count = self.size = self.gaps = 0
