# store: where keydir and log meet
