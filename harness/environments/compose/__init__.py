"""Run a system in containers that Docker Compose describes, behind a fault proxy."""

from harness.environments.compose.environment import ComposeEnvironment
from harness.environments.compose.projects import Projects

__all__ = ["ComposeEnvironment", "Projects"]
