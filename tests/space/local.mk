# tests of src/space
check_PROGRAMS += check_space
check_space_SOURCES = %D%/check_space.c
check_space_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_space_LDADD = librk_test.a $(RK_SPACE_LIBS) $(CHECK_LIBS) $(ISAL_LIBS)
