# stats: counters in shared memory
