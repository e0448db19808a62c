"""Writes of the hall: applications, ratings, delivery, published answers, admissions, messages to a government platform."""
