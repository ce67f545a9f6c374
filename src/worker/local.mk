# worker: the process that serves
