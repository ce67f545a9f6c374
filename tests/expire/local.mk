# tests of src/expire
check_PROGRAMS += check_expire_clock
check_expire_clock_SOURCES = %D%/check_expire_clock.c
check_expire_clock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_expire_clock_LDADD = librk_test.a $(RK_EXPIRE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += check_expire
check_expire_SOURCES = %D%/check_expire.c tests/merge/merge_model.c tests/merge/merge_model.h
check_expire_CFLAGS = $(check_merge_CFLAGS) -I$(top_srcdir)/tests/merge
check_expire_LDADD = $(check_merge_LDADD)
