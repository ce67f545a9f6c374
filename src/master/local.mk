# master: the process that owns
