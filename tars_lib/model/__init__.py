"""The vocabulary: names, times, samples, histories and organisations."""
