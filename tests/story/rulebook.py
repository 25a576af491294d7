"""RULEBOOK.md once more, from its text alone: what each step of a scenario answers and what the closes come to.

Nothing of counterfoil takes part. `Rulebook(start, steps).step(step)` gives what a scenario file expects of a step. What
falls due happens at its instant, in time order: activations, holds, rewards, lots. Where the text leaves a choice, the
model has made the product's.
"""

from __future__ import annotations

from tests.story.rulebook_till import Till
from tests.story.rulebook_words import Dict, Refused, instant


class Rulebook(Till):
    """Step by step."""

    def step(self, step: Dict) -> Dict:
        """`expect` and `after` of a step, of a close `state` too."""
        if "at" in step:
            self.now = instant(step["at"])
        self.fall_due()
        facts = self.answer(step["do"], step.get("args", {}), step.get("key"))
        self.release_reserves()
        found: Dict = {"expect": facts, "after": {name: one.sums() for name, one in self.members.items()}}
        return found if step["do"] != "close" else {**found, "state": self.state()}

    def answer(self, verb: str, args: Dict, key: str | None) -> Dict:
        """The facts of an operation; one that is sent again is answered as before."""
        if key in self.answers:
            same = (verb, args) == self.answers[key][:2]
            known = {**self.answers[key][2], "replayed": True}
            return known if same else {"ok": False, "code": "idempotency_key_reused"}
        try:
            facts = {"ok": True, **(getattr(self, "_" + verb)(**args) or {})}
        except Refused as refused:
            facts = {"ok": False, "code": refused.code, **refused.facts}
        if key is not None:
            self.answers[key] = (verb, args, facts)
        return facts

    # --- jobs ------------------------------------------------------------------------------------------------------

    def _activate(self) -> None:
        """What is due has happened at its instant."""

    def _expire(self) -> None:
        """The same: a job may run twice."""

    def _race(self, steps: list[Dict]) -> Dict:
        """Whoever wins: in the file's order."""
        found = [self.answer(one["do"], one.get("args", {}), one.get("key")) for one in steps]
        codes: dict[str, int] = {}
        for facts in found:
            if not facts["ok"]:
                codes[facts["code"]] = codes.get(facts["code"], 0) + 1
        won = sum(bool(facts["ok"]) for facts in found)
        return {"ok": won, "replayed": sum("replayed" in facts for facts in found), "codes": codes}
