"""What goes wrong in an inference engine, told the same way for all of them."""

from pathlib import Path

from safety.errors import ModelError


def engine_refused(engine: str, model: Path, error: Exception) -> ModelError:
    """The engine does not take the model file."""
    return ModelError(
        "model.engine_refused",
        "{engine} cannot run the model file {path} ({why}); convert or download it again, or use"
        " another network",
        engine=engine,
        path=str(model),
        why=_last_line(error),
    )


def engine_failed(engine: str, error: Exception) -> ModelError:
    """The engine broke down while it ran a network that it had taken."""
    return ModelError(
        "model.engine_failed",
        "{engine} failed while analysing ({why}); if it happens again, check the machine's"
        " memory and set ANJEON_BACKEND to another engine",
        engine=engine,
        why=_last_line(error),
    )


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
