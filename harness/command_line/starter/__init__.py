"""What `atlas-chaos init` copies for a user: tiny services, their system and a scenario."""
