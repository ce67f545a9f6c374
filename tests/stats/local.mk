# tests of src/stats
check_PROGRAMS += check_stats_names
check_stats_names_SOURCES = %D%/check_stats_names.c
check_stats_names_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_stats_names_LDADD = librk_test.a librk_stats.a librk_base.a $(CHECK_LIBS)

check_PROGRAMS += check_stats_metrics
check_stats_metrics_SOURCES = %D%/check_stats_metrics.c
check_stats_metrics_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) -I$(top_srcdir)/tests/support
check_stats_metrics_LDADD = librk_test.a librk_stats.a librk_base.a $(CHECK_LIBS) $(JANSSON_LIBS)

# A program that knows nothing but the public header.
noinst_PROGRAMS += read_stats
read_stats_SOURCES = %D%/read_stats.c
read_stats_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)/include
dist_check_SCRIPTS += %D%/check_stats_outside.sh
EXTRA_DIST += doc/stats.md

# The table of doc/metrics.md, from the tables of names.
noinst_PROGRAMS += print_metrics
print_metrics_SOURCES = %D%/print_metrics.c
print_metrics_LDADD = librk_stats.a librk_base.a
dist_check_SCRIPTS += %D%/check_metrics_doc.sh
EXTRA_DIST += doc/metrics.md
