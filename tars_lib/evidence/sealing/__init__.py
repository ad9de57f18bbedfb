"""Seal a bundle: bag, manifests, zip, signature and chain of custody."""
