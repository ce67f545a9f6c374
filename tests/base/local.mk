# tests of src/base
check_PROGRAMS += check_base
check_base_SOURCES = %D%/check_base.c
check_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_base_LDADD = librk_test.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)
check_PROGRAMS += check_base_names
check_base_names_SOURCES = %D%/check_base_names.c
check_base_names_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_base_names_LDADD = librk_test.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)
