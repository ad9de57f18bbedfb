"""Read the files that other tools export: what each says of samples, changes, incidents and services."""
