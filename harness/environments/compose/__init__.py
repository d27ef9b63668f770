"""Run a system in containers that Docker Compose describes, behind a fault proxy."""

from harness.environments.compose.environment import ComposeEnvironment
from harness.environments.compose.projects import Projects
from harness.environments.compose.requirements import proxy_for

__all__ = ["ComposeEnvironment", "Projects", "proxy_for"]
