# stats: counters in shared memory
EXTRA_DIST += %D%/stats_block.h %D%/stats_http.h %D%/stats_counter.h %D%/stats_store.h
