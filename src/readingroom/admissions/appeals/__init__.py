"""Appeals, of refusals and of sanctions: heard by people who took no part in what is appealed."""
