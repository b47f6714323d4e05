"""What ``fall`` and ``man_down`` share: who of those on the floor their rule is about."""

from zones.people import People
from zones.posture import Lying
from zones.rules.base import CameraRuleBase, RuleContext
from zones.rules.episode import EpisodeMachine, Episodes
from zones.rules.where import Where


class DownMachine(EpisodeMachine[int]):
    """Base of the rules about people on the floor; a moment's flicker does not end what lasts."""

    def __init__(
        self, spec: CameraRuleBase, context: RuleContext, *, kind: str, duration: str
    ) -> None:
        self._where = Where(context)
        super().__init__(
            Episodes(
                spec,
                context,
                kind=kind,
                hold_to_open_s=spec.hold_to_open_s,
                bridges_leaving=True,
                duration=duration,
            )
        )

    def _down(self, people: People) -> dict[int, Lying]:
        """Who lies or falls where the rule looks, by track id."""
        here = self._where.inside(people)
        return {
            track_id: past
            for track_id, past in people.lying.items()
            if here is None or track_id in here
        }
