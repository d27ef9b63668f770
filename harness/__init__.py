"""Break a running system on purpose and say, with evidence, whether it coped."""
