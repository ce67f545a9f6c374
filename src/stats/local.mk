# stats: counters in shared memory, and their names
noinst_LIBRARIES += librk_stats.a
librk_stats_a_SOURCES = \
	%D%/stats_block.h \
	%D%/stats_counter.h \
	%D%/stats_http.h \
	%D%/stats_json.c %D%/stats_json.h \
	%D%/stats_metrics.c %D%/stats_metrics.h \
	%D%/stats_names.c %D%/stats_names.h \
	%D%/stats_part.h \
	%D%/stats_store.h
