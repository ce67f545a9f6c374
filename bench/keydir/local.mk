# keydir: bytes a key and rates against population, beside a plain array and liburcu's table
EXTRA_PROGRAMS += keydir_bench
keydir_bench_SOURCES = %D%/keydir_bench.c %D%/keydir_tables.c %D%/keydir_tables.h
keydir_bench_CFLAGS = $(AM_CFLAGS) $(URCU_CFLAGS)
keydir_bench_LDADD = librk_keydir_writer.a librk_keydir.a librk_grace_writer.a librk_grace.a librk_base.a \
	$(URCU_LIBS) $(SODIUM_LIBS)
if HAVE_URCU_CDS
keydir_bench_CFLAGS += -DRK_HAVE_URCU_CDS $(URCU_CDS_CFLAGS)
keydir_bench_LDADD += $(URCU_CDS_LIBS)
endif
EXTRA_DIST += %D%/keydir_bench.gp
CLEANFILES += keydir_bench keydir_bench.csv keydir_bench.svg

# MILLIONS="1 2" for fewer populations.
bench-keydir: keydir_bench
	./keydir_bench $(MILLIONS) > keydir_bench.csv
	$(provenance) >> keydir_bench.csv
	gnuplot -c $(srcdir)/%D%/keydir_bench.gp keydir_bench.csv keydir_bench.svg
	cat keydir_bench.csv
