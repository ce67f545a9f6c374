# tests of src/stats
check_PROGRAMS += check_stats_names
check_stats_names_SOURCES = %D%/check_stats_names.c
check_stats_names_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_stats_names_LDADD = librk_test.a librk_stats.a $(CHECK_LIBS)

# A program that knows nothing but the public header.
noinst_PROGRAMS += read_stats
read_stats_SOURCES = %D%/read_stats.c
read_stats_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)/include
dist_check_SCRIPTS += %D%/check_stats_outside.sh
EXTRA_DIST += doc/stats.md
