# tests of src/ring
check_PROGRAMS += check_ring
check_ring_SOURCES = %D%/check_ring.c
check_ring_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_ring_LDADD = librk_test.a librk_ring.a librk_base.a $(CHECK_LIBS)
