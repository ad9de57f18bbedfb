"""What every command needs: the terminal, the shell's conventions and build servers."""
