"""What an outbox remembers, in a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Kept:
    """A memory."""

    texts: dict[str, str] = field(default_factory=dict)

    def recall(self, name: str) -> str | None:
        return self.texts.get(name)

    def claim(self, name: str, value: str) -> str:
        return self.texts.setdefault(name, value)

    def remember(self, name: str, value: str) -> None:
        self.texts[name] = value

    def forget(self, name: str) -> None:
        self.texts.pop(name, None)
