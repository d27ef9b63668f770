"""Where runs take place: start a system and give faults the means to act on it."""
