# tests of src/worker
check_PROGRAMS += check_worker_link
check_worker_link_SOURCES = %D%/check_worker_link.c
check_worker_link_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_worker_link_LDADD = librk_test.a $(RK_WORKER_LIBS) $(CHECK_LIBS) $(RK_WORKER_EXTERNAL_LIBS)

check_PROGRAMS += check_worker_memory check_worker_takeover
check_worker_memory_SOURCES = %D%/check_worker_memory.c
check_worker_memory_CFLAGS = $(check_worker_link_CFLAGS)
check_worker_memory_LDADD = $(check_worker_link_LDADD)
check_worker_takeover_SOURCES = %D%/check_worker_takeover.c
check_worker_takeover_CFLAGS = $(check_worker_link_CFLAGS)
check_worker_takeover_LDADD = $(check_worker_link_LDADD)

# Includes only go down (ARCHITECTURE.md), and only http knows libh2o.
dist_check_SCRIPTS += tests/check_circles.sh tests/check_floors.sh tests/check_paths.sh tests/check_plurals.sh tests/check_charts.sh
