"""Profiles of persons and the structure of questions: factors, their confirmation, clusters."""
