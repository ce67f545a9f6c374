# merge: how fast space comes back, beside cp of what is live; and what merges cost the requests that come meanwhile
EXTRA_PROGRAMS += merge_bench expire_bench
merge_bench_SOURCES = %D%/merge_bench.c %D%/merge_bed.c %D%/merge_bed.h
merge_bench_CFLAGS = $(AM_CFLAGS) $(URCU_CFLAGS)
merge_bench_LDADD = $(RK_ENGINE_LIBS) $(URCU_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
expire_bench_SOURCES = %D%/expire_bench.c %D%/merge_bed.c %D%/merge_bed.h
expire_bench_CFLAGS = $(merge_bench_CFLAGS)
expire_bench_LDADD = $(merge_bench_LDADD)
EXTRA_DIST += %D%/merge_bench.gp %D%/foreground_bench %D%/foreground_bench.gp
CLEANFILES += merge_bench expire_bench merge_bench.csv merge_bench.svg foreground_bench.csv foreground_bench.svg

# MIB=256 for less; TMPDIR for a folder with three times as much.
bench-merge: merge_bench
	./merge_bench $${TMPDIR:-/tmp} $${MIB:-1024} > merge_bench.csv
	$(provenance) >> merge_bench.csv
	gnuplot -c $(srcdir)/%D%/merge_bench.gp merge_bench.csv merge_bench.svg
	cat merge_bench.csv

# What it costs to look for what has expired.
bench-expire: expire_bench
	./expire_bench $${TMPDIR:-/tmp}

# FOREGROUND="-r 5 -w get" for other options; TMPDIR for a folder with 10 GiB.
bench-foreground: rackkvd rackkvctl
	$(srcdir)/%D%/foreground_bench $(FOREGROUND) > foreground_bench.csv
	$(provenance) >> foreground_bench.csv
	gnuplot -c $(srcdir)/%D%/foreground_bench.gp foreground_bench.csv foreground_bench.svg
	cat foreground_bench.csv
