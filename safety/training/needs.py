"""Says clearly that training needs more than the default installation."""

from importlib.util import find_spec

from safety.errors import AnjeonError


class TrainingError(AnjeonError):
    """A network cannot be trained, quantized, exported or validated as asked."""


def require(*modules: str) -> None:
    """Check that optional packages are installed, before anything slow begins.

    Raises:
        TrainingError: One is not.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise TrainingError(
            "training.not_installed",
            "{names} is not installed; install what training needs with"
            " 'pip install anjeon[train]' and run the command again",
            names=", ".join(missing),
        )
