"""The log: the Merkle tree of RFC 6962, section 2.1 (SHA-256; 0x00 leaf, 0x01 node).

Leaf data is a 32-byte entry hash. Proof checks follow RFC 9162, sections 2.1.3.2 and 2.1.4.2: a path of the
wrong length, of wrong widths or for a place outside the tree never verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: roots of its full subtrees, largest first. Append costs O(1) amortised."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, data: bytes) -> None:
        """Add one leaf."""
        self.extend((data,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves in order."""
        sha256, peaks = hashlib.sha256, self.peaks  # millions of leaves: every call counts
        for data in leaves:
            node, place = sha256(b"\0" + data).digest(), self.size
            while place & 1:
                node, place = sha256(b"\1" + peaks.pop() + node).digest(), place >> 1
            peaks.append(node)
            self.size += 1

    def root(self) -> bytes:
        """The tree's root; of no leaves: SHA-256 of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node

    def packed(self) -> bytes:
        """The peaks, 32 bytes each: with the size, all that is needed to go on."""
        return b"".join(self.peaks)

    @classmethod
    def unpacked(cls, size: int, peaks: bytes) -> Frontier:
        """The frontier that `packed` wrote down."""
        assert len(peaks) == 32 * size.bit_count()
        return cls(size, [peaks[i : i + 32] for i in range(0, len(peaks), 32)])


class Tree:
    """A whole tree in memory, level by level, for roots and paths at every size up to its own."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for data in leaves:
            self.append(data)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, data: bytes) -> None:
        """Add one leaf; full subtrees are hashed once, ever."""
        node, level = leaf_hash(data), 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            nodes = self._levels[level]
            nodes.append(node)
            if len(nodes) & 1:
                return
            node, level = node_hash(nodes[-2], node), level + 1

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves (default: all)."""
        size = len(self) if size is None else size
        assert size <= len(self)
        return self._span(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH(index, D[size]) of RFC 6962, section 2.1.1, bottom up."""
        size = len(self) if size is None else size
        assert 0 <= index < size <= len(self)
        path, start, end = [], 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._span(middle, end))
                end = middle
            else:
                path.append(self._span(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """PROOF(old, D[size]) of RFC 6962, section 2.1.2."""
        size = len(self) if size is None else size
        assert 0 < old <= size <= len(self)
        path, start, end, whole = [], 0, size, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._span(middle, end))
                end = middle
            else:
                path.append(self._span(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._span(start, end))
        return path[::-1]

    def level(self, height: int) -> list[bytes]:
        """Hashes of the full subtrees of 2^height leaves, in order."""
        return self._levels[height] if height < len(self._levels) else []

    def _span(self, start: int, end: int) -> bytes:
        count = end - start
        level = count.bit_length() - 1
        if count == 1 << level:
            return self._levels[level][start >> level]
        middle = start + _split(count)
        return node_hash(self._span(start, middle), self._span(middle, end))


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """A small tree bottom up: pairs are hashed, an odd last node goes up as it is. The same tree as RFC 6962's."""
    level = [hashlib.sha256(b"\0" + data).digest() for data in leaves]
    found = [level]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
        if len(level) & 1:
            above.append(level[-1])
        found.append(above)
        level = above
    return found


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf data."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def root_from_inclusion(index: int, size: int, data: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to, or None if the path cannot be one of that tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _well_formed(data, *path):
        return None
    fn, sn, node = index, size - 1, leaf_hash(data)
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return node if sn == 0 else None


def verify_inclusion(index: int, size: int, data: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `data` is leaf `index` of the tree of `size` leaves under `root`."""
    return root_from_inclusion(index, size, data, path) == root


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the first `old` leaves of the tree under `root` are those under `old_root` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= size or not _well_formed(old_root, root, *path):
        return False
    if old == size:
        return not path and old_root == root and (size > 0 or root == EMPTY_ROOT)
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    nodes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not nodes:
        return False
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = nodes[0]
    for sibling in nodes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == root


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _well_formed(*hashes: bytes) -> bool:
    return all(len(h) == 32 for h in hashes)
