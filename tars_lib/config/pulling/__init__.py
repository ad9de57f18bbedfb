"""Systems that are asked for data (`sources.yaml`), and how what they know is added to `org.yaml`."""
