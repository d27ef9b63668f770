"""Run a system in containers that Docker Compose describes, with the vendor's Toxiproxy."""

from harness.environments.compose.environment import ComposeEnvironment

__all__ = ["ComposeEnvironment"]
