"""The files of the schedule, one idea each: what renews staples, and what watches over that."""
