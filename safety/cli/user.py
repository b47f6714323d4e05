"""``anjeon user``."""

from typing import Annotated, Literal

import typer

from safety.cli.settings import settings_of

commands = typer.Typer(help="Who may sign in.", no_args_is_help=True)

Role = Literal["viewer", "operator", "manager", "admin"]


@commands.command("once")
def user_once() -> None:
    """Print a link that signs in the administrator once; for the first start and for lock-outs."""
    from safety.app.users import print_one_time_login

    print_one_time_login(settings_of("user"))


@commands.command("add")
def user_add(
    login: str,
    role: Annotated[Role, typer.Option(help="What they may do.")] = "viewer",
    name: Annotated[str | None, typer.Option(help="Full name; else the login.")] = None,
) -> None:
    """Add somebody; the password is asked for."""
    from safety.app.users import add_user

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    add_user(settings_of("user"), login=login, name=name or login, role=role, password=password)


@commands.command("passwd")
def user_passwd(login: str) -> None:
    """Set somebody's password; ends all their sessions."""
    from safety.app.users import find_user, set_password

    settings = settings_of("user")
    find_user(settings, login)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    set_password(settings, login=login, password=password)
