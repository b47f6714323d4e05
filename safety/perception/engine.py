"""What goes wrong in an inference engine, told the same way for all of them."""

from pathlib import Path

from safety.errors import ModelError

_MEMORY = ("out of memory", "failed to allocate", "bad_alloc", "alloc_failed", "bad allocation")
"""What engines and drivers say, in lower case, when there is not enough memory."""


class OutOfMemory(ModelError):
    """The device has not enough memory for the pictures it was given at once."""


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
    if isinstance(error, MemoryError) or any(text in str(error).lower() for text in _MEMORY):
        return OutOfMemory(
            "model.out_of_memory",
            "{engine} has not enough memory to analyse a picture ({why}); end other programs, use"
            " a smaller network width, or set ANJEON_DEVICE=cpu",
            engine=engine,
            why=_last_line(error),
        )
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
