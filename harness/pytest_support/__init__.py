"""The parts of the pytest plugin, one concern per module."""
