"""`tars completion`: what a shell reads so that Tab completes commands and options."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command(epilog="Example: tars completion bash > tars-completion.bash")
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes tars in a SHELL: bash (4.4 or later), zsh or fish.

    bash: eval "$(tars completion bash)" in ~/.bashrc. zsh: eval "$(tars completion zsh)" in ~/.zshrc, after compinit.
    fish: tars completion fish > ~/.config/fish/completions/tars.fish.
    """
    from click.shell_completion import get_completion_class

    group = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell}: this version of click has no completion for it.")
    # the template alone: click's own way would start the shell to ask for its version
    made = kind(group, {}, "tars", "_TARS_COMPLETE")
    click.echo(made.source_template % made.source_vars())
