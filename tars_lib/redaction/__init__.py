"""Secrets and personal data leave the files of a bundle, the same value by the same placeholder everywhere."""
