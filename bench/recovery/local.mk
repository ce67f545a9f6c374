# recovery: records a second from hints and by scanning, beside cat of the same files
EXTRA_PROGRAMS += recovery_bench
recovery_bench_SOURCES = %D%/recovery_bench.c
recovery_bench_LDADD = $(RK_ENGINE_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
EXTRA_DIST += %D%/recovery_bench.gp
CLEANFILES += recovery_bench recovery_bench.csv recovery_bench.svg

# MILLIONS="1 2" for fewer populations; TMPDIR for a folder with some gigabytes.
bench-recovery: recovery_bench
	./recovery_bench $(MILLIONS) > recovery_bench.csv
	$(provenance) >> recovery_bench.csv
	gnuplot -c $(srcdir)/%D%/recovery_bench.gp recovery_bench.csv recovery_bench.svg
	cat recovery_bench.csv
