"""What comes in: readers of maps and tables, each telling all that is wrong at once."""
