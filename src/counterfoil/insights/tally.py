"""Tally: what has become of one issuer's points in one currency, from the first entry on."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field

from counterfoil.insights.breakage import Cohort, Matured, matured
from counterfoil.insights.deferral import Rights


@dataclass(slots=True)
class Flows:
    """Points. issued - taken_back - burned - expired = outstanding.

    `issued` counts when points become available. `burned` is less what was given back; of it, `repaid` went for points that
    a refund could not take from its own lots, and `burned_elsewhere` was used at another partner than the issuer.
    `burned_here` was used at this party, whoever issued it. What a refund excuses because it ran out stays expired.
    """

    issued: int = 0
    taken_back: int = 0
    burned: int = 0
    repaid: int = 0
    burned_elsewhere: int = 0
    burned_here: int = 0
    expired: int = 0

    def less(self, before: Flows) -> Flows:
        """What came since."""
        return Flows(*(a - b for a, b in zip(astuple(self), astuple(before), strict=True)))


@dataclass(frozen=True, slots=True)
class Closed:
    """A tally as it stood at a close."""

    flows: Flows = field(default_factory=Flows)
    face_micros: int = 0
    matured: Matured = field(default_factory=Matured)

    @property
    def rights(self) -> Rights:
        """What deferred revenue is reckoned from."""
        flows = self.flows
        return Rights(self.face_micros, flows.issued - flows.taken_back, flows.burned, flows.expired)


@dataclass(slots=True)
class Tally:
    """`face_micros` is the face of the points issued, less of those taken back; cohorts by month, years x 12 + month."""

    currency: int
    party: int
    flows: Flows = field(default_factory=Flows)
    face_micros: int = 0
    cohorts: dict[int, Cohort] = field(default_factory=dict)

    def closed(self, at: int) -> Closed:
        """A copy as of the close at an instant."""
        return Closed(self.flows.less(Flows()), self.face_micros, matured(self.cohorts.values(), at))
