"""Documents of ISO 20022 from outside: read without entities, document types and network; elements know where they stand."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from counterfoil.core.errors import BankFileUnreadable

_SPACE = "urn:iso:std:iso:20022:tech:xsd:"


def document(xml: bytes, version: str) -> Node:
    """The document of one version; raises BankFileUnreadable."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise BankFileUnreadable(error.lineno or 1, "document", error.msg or "is no XML") from None
    if root.getroottree().docinfo.doctype:  # entities live there; no message of ISO 20022 has one
        raise BankFileUnreadable(1, "DOCTYPE", "a message of ISO 20022 has none")
    node = Node(root, f"{{{_SPACE}{version}}}")
    if root.tag != f"{node.space}Document":
        raise node.wrong(f"is not a Document of {version}, the version that is read here")
    return node


@dataclass(frozen=True, slots=True)
class Node:
    """An element that knows how to say where it stands."""

    element: etree._Element
    space: str

    @property
    def path(self) -> str:
        """Without namespaces, below the message's own element."""
        path: str = self.element.getroottree().getelementpath(self.element)
        return path.replace(self.space, "").partition("/")[2] or "Document"

    @property
    def text(self) -> str:
        """What stands in it."""
        return (self.element.text or "").strip()

    @property
    def whole(self) -> str:
        """It with all that is in it, but for comments."""
        text: str = etree.tostring(self.element, encoding="unicode", with_tail=False)
        return text

    def wrong(self, why: str) -> BankFileUnreadable:
        """The refusal that names this element."""
        return BankFileUnreadable(int(self.element.sourceline or 1), self.path, why)

    def all(self, path: str) -> list[Node]:
        """Elements below, by path."""
        inner = "/".join(f"{self.space}{name}" for name in path.split("/"))
        return [Node(one, self.space) for one in self.element.findall(inner)]

    def maybe(self, *paths: str) -> Node | None:
        """The first element there is at one of these paths."""
        return next((one for path in paths for one in self.all(path)), None)

    def one(self, path: str) -> Node:
        """The element at a path; raises BankFileUnreadable."""
        found = self.maybe(path)
        if found is None:
            raise self.wrong(f"lacks {path}")
        return found

    def word(self, *paths: str) -> str | None:
        """The text at one of these paths, if there is any."""
        found = self.maybe(*paths)
        return None if found is None else found.text or None
