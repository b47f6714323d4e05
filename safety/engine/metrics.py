"""What the engine tells Prometheus, shards' figures included."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from cameras.messages import CameraStatus, ShardStats
from safety.engine.coverage import Interval
from safety.types import CameraState, Phase, Violation

LATENCY_BUCKETS_S = (0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0)


class EngineMetrics:
    """All metrics of one engine, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"anjeon_{name}", text, labels, registry=registry)

        camera = ("camera",)
        self.camera_state = gauge("camera_state", "1 for the state it is in", "camera", "state")
        self.captured = gauge("camera_frames_captured", "Frames received", *camera)
        self.analysed = gauge("camera_frames_analysed", "Frames analysed", *camera)
        self.dropped = gauge("camera_frames_dropped", "Frames never analysed", *camera)
        self.reconnects = gauge("camera_reconnects", "Connections lost and made again", *camera)
        self.capture_fps = gauge("camera_capture_fps", "Frames received per second", *camera)
        self.analysis_fps = gauge("camera_analysis_fps", "Frames analysed per second", *camera)
        self.frame_age = gauge("camera_frame_age_seconds", "Newest analysed frame's age", *camera)
        self.ppe_seconds = gauge(
            "ppe_person_seconds",
            "Time of persons whose equipment was worn, missing, or unknown: cannot tell",
            *("camera", "item", "state"),
        )
        self.blind = Counter(
            "anjeon_camera_blind_seconds", "Time not monitored", camera, registry=registry
        )
        self.inference = gauge("shard_inference_ms", "Picture to result", "shard", "quantile")
        self.ppe_pictures = gauge("shard_ppe_pictures", "Pictures looked at for equipment", "shard")
        self.ppe_ms = gauge("shard_ppe_ms", "Equipment network, one picture, median", "shard")
        self.batch = gauge("shard_batch_mean", "Pictures in the network at once", "shard")
        self.spool = gauge("shard_spool_waiting", "Reports not yet confirmed", "shard")
        self.spool_degraded = gauge("shard_spool_degraded", "1: spool is in memory", "shard")
        self.device_failed = gauge("shard_device_failed", "1: on the processor instead", "shard")
        self.shard_refused = gauge("shard_refused_messages", "Messages not understood", "shard")
        self.shard_rss = gauge("shard_resident_bytes", "Memory", "shard")
        self.shard_cpu = gauge("shard_cpu_seconds", "Processor time used", "shard")
        self.shard_restarts = Counter(
            "anjeon_shard_restarts", "Shards started again", ("shard",), registry=registry
        )
        self.report_latency = Histogram(
            "anjeon_frame_to_report_seconds",
            "Frame captured to violation reported",
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.siren_latency = Histogram(
            "anjeon_frame_to_siren_seconds",
            "Frame captured to siren command sent",
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.violations = Counter(
            "anjeon_violations", "Violations opened", ("kind", "severity"), registry=registry
        )
        self.recorder_waiting = gauge("recorder_waiting", "Writes waiting for the database")
        self.recorder_refused = gauge("recorder_refused", "Writes given up: see the log")
        self.store_available = gauge("store_available", "1: the database can be written")
        self.evidence_bytes = gauge("evidence_bytes", "What evidence holds")
        self.evidence_most_bytes = gauge("evidence_most_bytes", "What evidence may hold")
        self.evidence_disk_free_bytes = gauge("evidence_disk_free_bytes", "Free on its disk")
        self.refused = gauge("refused_messages", "Messages refused by the engine")

    def camera_seen(self, status: CameraStatus) -> None:
        """Take over one camera's figures."""
        self.captured.labels(status.camera_id).set(status.frames_captured)
        self.analysed.labels(status.camera_id).set(status.frames_analysed)
        self.dropped.labels(status.camera_id).set(status.frames_dropped)
        self.reconnects.labels(status.camera_id).set(status.reconnects)
        self.capture_fps.labels(status.camera_id).set(status.capture_fps)
        self.analysis_fps.labels(status.camera_id).set(status.analysis_fps)
        age = float("nan") if status.frame_age_s is None else status.frame_age_s
        self.frame_age.labels(status.camera_id).set(age)
        for item, states in status.ppe_seconds.items():
            for state, seconds in states.items():
                self.ppe_seconds.labels(status.camera_id, item, state).set(seconds)

    def covered(self, interval: Interval, elapsed_s: float) -> None:
        """Take over the state a camera has been in for the last ``elapsed_s`` seconds."""
        for state in CameraState:
            self.camera_state.labels(interval.camera_id, state).set(state is interval.state)
        if interval.state is CameraState.BLIND:
            self.blind.labels(interval.camera_id).inc(max(0.0, elapsed_s))

    def shard_seen(self, stats: ShardStats) -> None:
        """Take over one shard's figures."""
        self.inference.labels(stats.shard, "0.5").set(stats.inference_ms_p50)
        self.inference.labels(stats.shard, "0.99").set(stats.inference_ms_p99)
        self.batch.labels(stats.shard).set(stats.batch_mean)
        self.ppe_pictures.labels(stats.shard).set(stats.ppe_pictures)
        self.ppe_ms.labels(stats.shard).set(stats.ppe_ms)
        self.spool.labels(stats.shard).set(stats.spool_waiting)
        self.spool_degraded.labels(stats.shard).set(stats.spool_degraded)
        self.device_failed.labels(stats.shard).set(stats.device_failed)
        self.shard_refused.labels(stats.shard).set(stats.refused_messages)
        self.shard_rss.labels(stats.shard).set(stats.rss_bytes)
        self.shard_cpu.labels(stats.shard).set(stats.cpu_seconds)
        for seconds in stats.frame_to_report_s:
            self.report_latency.observe(seconds)

    def violation_seen(self, violation: Violation) -> None:
        """Count an episode when it opens."""
        if violation.phase is Phase.OPENED:
            self.violations.labels(violation.rule_kind, violation.severity).inc()
