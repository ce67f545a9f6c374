# tests of src/merge
check_PROGRAMS += check_merge_policy
check_merge_policy_SOURCES = %D%/check_merge_policy.c
check_merge_policy_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_merge_policy_LDADD = librk_test.a $(RK_MERGE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += check_merge
check_merge_SOURCES = %D%/check_merge.c %D%/merge_model.c %D%/merge_model.h
check_merge_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
# The model writes with the writer, reads as recovery does, and looks for what has expired.
check_merge_LDADD = librk_test.a librk_merge.a librk_expire.a librk_recover.a $(RK_WRITER_LIBS) \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_merge_hint
check_merge_hint_SOURCES = %D%/check_merge_hint.c %D%/merge_model.c %D%/merge_model.h
check_merge_hint_CFLAGS = $(check_merge_CFLAGS)
check_merge_hint_LDADD = $(check_merge_LDADD)
check-long: check-long-merge
check-long-merge: check_merge$(EXEEXT)
	RK_MERGE_OPS=1000000 ./check_merge$(EXEEXT)
