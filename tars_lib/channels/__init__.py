"""Notification: texts go out through channels, each named by a URL; a dry run unless told otherwise."""
