"""The commands of `atlas-chaos`, each importing what it needs only when it runs."""
