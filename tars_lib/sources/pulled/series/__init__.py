"""Sources that give samples: Prometheus and its relatives, databases, Parquet in folders and object stores."""
