"""Where people are: phases by channels."""
