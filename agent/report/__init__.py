"""Plans, reports, problems and states as text for people and as documents for programs. Pure: values in, text out."""
