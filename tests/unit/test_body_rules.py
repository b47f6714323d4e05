"""Falls, people who lie still, bent backs and runners, told second by second."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from safety.types import KEYPOINTS, Observation, PlantState, Violation
from tests.support import moments
from tests.support.bodies import Pose, body, camera
from tests.support.moments import MIDDLE_M
from tests.support.observations import episodes, frame_times, observation
from zones.arming import Armament
from zones.engine import RuleEngine
from zones.rules.fall import FallSpec
from zones.rules.man_down import ManDownSpec
from zones.rules.posture import PostureSpec
from zones.rules.running import RunningSpec
from zones.specs import RuleSpec

FALL = FallSpec(id="r", name="R")
DOWN = ManDownSpec(id="r", name="R", still_s=5)
RUN = RunningSpec(id="r", name="R")

KNEES = [KEYPOINTS.index("left_knee"), KEYPOINTS.index("right_knee")]
HIPS = [KEYPOINTS.index("left_hip"), KEYPOINTS.index("right_hip")]

RATES = pytest.mark.parametrize(("fps", "loss"), [(10.0, 0.0), (5.0, 0.0), (3.0, 0.0), (10.0, 0.3)])


def engine(rule: RuleSpec, *, calibrated: bool = True) -> RuleEngine:
    ids = iter(range(100))
    return RuleEngine(
        camera_id="cam",
        zones=[],
        rules=[rule],
        rule_revisions={"r": 1},
        new_id=lambda: str(next(ids)),
        calibration=camera() if calibrated else None,
    )


def reports(
    rule: RuleSpec,
    seen: Callable[[float], Observation],
    *,
    until_s: float = 15.0,
    fps: float = 10.0,
    loss: float = 0.0,
    calibrated: bool = True,
) -> list[Violation]:
    running = engine(rule, calibrated=calibrated)
    return [
        report
        for at_s in frame_times(until_s, fps=fps, loss=loss, seed=2)
        for report in running.update(seen(at_s), PlantState())
    ]


def acts(
    *parts: tuple[float, Pose | None],
    yaw_deg: float = 0.0,
    tracks: Sequence[tuple[float, int]] = ((0.0, 1),),
    confidence: float = 0.9,
    place: Callable[[float], tuple[float, float]] = lambda _: MIDDLE_M,
    calibrated: bool = True,
) -> Callable[[float], Observation]:
    """Somebody in each pose until the second given, None: not seen; ``tracks``: (since, id)."""

    def seen(at_s: float) -> Observation:
        pose = next((pose for until_s, pose in parts if at_s < until_s - 1e-6), None)
        if pose is None:
            return observation([], at_s)
        born_s, track_id = next(t for t in reversed(tracks) if at_s >= t[0] - 1e-6)
        who = body(
            track_id, pose, place(at_s), yaw_deg=yaw_deg, age_s=at_s - born_s,
            confidence=confidence, calibrated=calibrated, noise=0.01,
        )  # fmt: skip
        return observation([who], at_s)

    return seen


@RATES
@pytest.mark.parametrize("yaw_deg", [0, 60, 180, 270])
def test_somebody_falls(yaw_deg: float, fps: float, loss: float) -> None:
    story = acts((3.0, "stands"), (3.3, "falls_half"), (30, "lies"), yaw_deg=yaw_deg)
    [episode] = episodes(reports(FALL, story, until_s=6, fps=fps, loss=loss))
    assert episode.opened_s == pytest.approx(4.0, abs=3.5 / fps)
    assert episode.closed_s is None


@pytest.mark.parametrize(
    "pose", ["bends", "bows", "kneels", "sits_on_heels", "squats", "sits", "crawls"]
)
@pytest.mark.parametrize("yaw_deg", [0, 45, 90, 180, 270])
def test_who_goes_down_otherwise_has_not_fallen(pose: Pose, yaw_deg: float) -> None:
    story = acts((1.0, "stands"), (3.0, pose), (20, "stands"), yaw_deg=yaw_deg)
    assert reports(FALL, story, until_s=4.5) == []


def test_lying_down_slowly_is_no_fall() -> None:
    story = acts((3.0, "stands"), (5.0, "kneels"), (7.0, "crawls"), (30, "lies"))
    assert reports(FALL, story) == []


def test_who_gets_up_at_once_has_stumbled() -> None:
    story = acts((3.0, "stands"), (3.7, "lies"), (4.2, "kneels"), (30, "stands"))
    assert reports(FALL, story) == []


def test_a_track_that_breaks_in_the_fall() -> None:
    story = acts(
        (3.0, "stands"), (3.6, None), (30, "lies"), tracks=((0.0, 1), (3.6, 2)), yaw_deg=180
    )
    [episode] = episodes(reports(FALL, story))
    assert episode.subject == "person-2"


def test_a_fall_whose_keypoints_are_lost() -> None:
    stood = acts((3.0, "stands"))
    lies = acts((30, "lies"), confidence=0.1)
    [episode] = episodes(reports(FALL, lambda at_s: (stood if at_s < 3 else lies)(at_s)))
    assert episode.opened_s == pytest.approx(4.0, abs=0.11)


def kneeling_thighs(at_s: float) -> bool:
    """When the network takes the thighs of somebody lying for those of somebody kneeling."""
    return at_s % 1.5 >= 0.6


def with_thighs_seen_badly(story: Callable[[float], Observation], at_s: float) -> Observation:
    """The same with knees below the hips now and then, as networks see them under bodies."""
    seen = story(at_s)
    if at_s < 3.3 or not kneeling_thighs(at_s):
        return seen
    persons = []
    for somebody in seen.persons:
        keypoints = somebody.keypoints.copy()
        keypoints[KNEES, :2] = keypoints[HIPS, :2] + np.array([0.0, 0.03], np.float32)
        persons.append(replace(somebody, keypoints=keypoints))
    return replace(seen, persons=tuple(persons))


@RATES
@pytest.mark.parametrize("yaw_deg", [0, 180])
def test_somebody_lying_whose_thighs_are_seen_here_and_there(
    yaw_deg: float, fps: float, loss: float
) -> None:
    story = acts((3.0, "stands"), (3.3, "falls_half"), (30, "lies"), yaw_deg=yaw_deg)

    def seen(at_s: float) -> Observation:
        return with_thighs_seen_badly(story, at_s)

    [fallen] = episodes(reports(FALL, seen, until_s=8, fps=fps, loss=loss))
    assert fallen.opened_s == pytest.approx(4.0, abs=3.5 / fps)
    [down] = episodes(reports(DOWN, seen, until_s=12, fps=fps, loss=loss))
    assert down.opened_s == pytest.approx(8.3, abs=3.5 / fps)


def test_who_gets_up_on_hands_and_knees_does_not_lie_on() -> None:
    story = acts((3.0, "stands"), (6.0, "lies"), (30, "crawls"))
    [episode] = episodes(reports(FALL, story))
    assert episode.closed_s == pytest.approx(8.9, abs=0.21)


def test_getting_up_ends_it() -> None:
    story = acts((3.0, "stands"), (8.0, "lies"), (30, "stands"))
    [episode] = episodes(reports(FALL, story))
    assert (episode.subject, episode.end_reason) == ("person-1", "cleared")
    assert (episode.opened_s, episode.closed_s) == pytest.approx((4.0, 10.9), abs=0.21)


@RATES
def test_somebody_who_already_lay_there(fps: float, loss: float) -> None:
    [episode] = episodes(reports(DOWN, acts((30, "lies")), fps=fps, loss=loss))
    assert episode.opened_s == pytest.approx(5.0, abs=2.5 / fps)


def test_a_fall_was_not_seen_but_the_man_down_is() -> None:
    story = acts((30, "lies"))
    assert reports(FALL, story) == []
    assert len(episodes(reports(DOWN, story))) == 1


def test_moving_is_not_lying_still() -> None:
    def crawling(at_s: float) -> tuple[float, float]:
        return (-2 + 0.2 * at_s, 9.0)

    assert reports(DOWN, acts((30, "lies"), place=crawling)) == []


def test_a_lying_person_who_is_found_only_now_and_then() -> None:
    """Networks lose people on the floor first: seen for 0.3 s in every 2 s, under new ids."""

    def seen(at_s: float) -> Observation:
        turn, within_s = divmod(at_s, 2.0)
        if within_s > 0.25:
            return observation([], at_s)
        return observation([body(1 + int(turn), "lies", MIDDLE_M, age_s=within_s)], at_s)

    [episode] = episodes(reports(DOWN, seen, until_s=20))
    assert episode.opened_s == pytest.approx(6.0, abs=0.11)
    assert episode.closed_s is None


@pytest.mark.parametrize("pose", ["kneels", "sits", "crawls", "bends"])
def test_who_works_on_the_floor_is_not_down(pose: Pose) -> None:
    assert reports(DOWN, acts((30, pose)), until_s=12) == []


def test_a_camera_that_knows_no_floor_sees_falls_across_its_view() -> None:
    story = acts((3.0, "stands"), (30, "lies"), calibrated=False)
    assert len(episodes(reports(FALL, story, calibrated=False))) == 1


@RATES
def test_bent_for_much_of_the_time(fps: float, loss: float) -> None:
    rule = PostureSpec(id="r", name="R", window_s=10, share=0.25)
    [episode] = episodes(
        reports(rule, acts((10, "stands"), (13.5, "bends"), (60, "stands")), until_s=30,
                fps=fps, loss=loss)
    )  # fmt: skip
    assert episode.opened_s == pytest.approx(12.5, abs=2.5 / fps)
    assert episode.end_reason == "cleared"


def test_a_screening_says_so() -> None:
    rule = PostureSpec(id="r", name="R", window_s=4, share=0.5)
    opened = reports(rule, acts((30, "bends")), until_s=6)[0]
    assert opened.details["screening"] is True
    assert opened.details["bent_share"] == 1.0
    assert opened.severity == "info"


@pytest.mark.parametrize("yaw_deg", [90, 270])
def test_seen_from_the_front_nothing_is_judged(yaw_deg: float) -> None:
    rule = PostureSpec(id="r", name="R", window_s=4, share=0.1)
    assert reports(rule, acts((30, "stands"), yaw_deg=yaw_deg)) == []


def test_somebody_runs() -> None:
    [opened, *_] = reports(RUN, moments.running)
    assert opened.opened_at.monotonic == pytest.approx(1002.5, abs=0.11)
    assert opened.details["speed_mps"] == 3.0


def test_without_a_floor_running_cannot_be_judged_and_that_is_said() -> None:
    blind = engine(RUN, calibrated=False)
    assert blind.update(moments.running(3.0), PlantState()) == []
    assert blind.states() == {"r": Armament.UNABLE}


def test_an_unknown_velocity_is_not_walking() -> None:
    def seen(at_s: float) -> Observation:
        now = moments.running(3.0 if at_s < 5 else 0.0)
        velocity = (3.0, 0.0) if at_s < 5 else None
        who = replace(now.persons[0], velocity_mps=velocity)
        return observation([who], at_s)

    last = reports(RUN, seen, until_s=8)[-1]
    assert (last.phase, last.end_reason) == ("closed", "cannot_tell")
