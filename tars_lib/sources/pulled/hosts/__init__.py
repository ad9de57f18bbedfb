"""Sources that give changes, incidents and services: git, code hosts, pagers, catalogues."""
