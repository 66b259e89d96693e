"""What happens when something wrong comes in: the rows of the design's list, through the doors that people use."""
