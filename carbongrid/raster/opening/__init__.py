"""The one door for files that other people made: what is opened is a regular file, by the name that was hashed, for one driver."""
