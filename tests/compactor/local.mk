# tests of src/compactor
check_PROGRAMS += check_compactor_kept
check_compactor_kept_SOURCES = %D%/check_compactor_kept.c
check_compactor_kept_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_compactor_kept_LDADD = librk_test.a $(RK_COMPACTOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += check_compactor
check_compactor_SOURCES = %D%/check_compactor.c tests/writer/list_source.c tests/writer/list_source.h
check_compactor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support -I$(top_srcdir)/tests/writer
check_compactor_LDADD = librk_test.a $(RK_COMPACTOR_LIBS) \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_compactor_due
check_compactor_due_SOURCES = %D%/check_compactor_due.c
check_compactor_due_CFLAGS = $(check_compactor_kept_CFLAGS)
check_compactor_due_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rk_time_monotonic_ns
check_compactor_due_LDADD = librk_test.a $(RK_COMPACTOR_LIBS) $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
