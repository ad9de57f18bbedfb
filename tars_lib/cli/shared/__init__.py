"""Common ground of all commands: the terminal, the shell's conventions and build servers."""
