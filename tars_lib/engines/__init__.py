"""Frame and upstream results in, frozen result out."""
