# the checker of histories
LINEAR_SUPPORT = %D%/linear_absent.c %D%/linear_check.c %D%/linear_check.h %D%/linear_private.h %D%/linear_zones.c
check_PROGRAMS += check_linear
check_linear_SOURCES = %D%/check_linear.c $(LINEAR_SUPPORT)
check_linear_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_linear_LDADD = librk_test.a $(CHECK_LIBS)
