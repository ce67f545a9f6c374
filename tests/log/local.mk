# tests of src/log
check_PROGRAMS += check_log_store
check_PROGRAMS += check_log_writer

check_log_store_SOURCES = %D%/check_log_store.c %D%/test_log.c %D%/test_log.h
check_log_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_store_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_log_writer_SOURCES = %D%/check_log_writer.c %D%/test_log.c %D%/test_log.h
check_log_writer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_writer_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_spare
check_log_spare_SOURCES = %D%/check_log_spare.c %D%/test_log.c %D%/test_log.h
check_log_spare_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_spare_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_salvage
check_log_salvage_SOURCES = %D%/check_log_salvage.c %D%/test_log.c %D%/test_log.h
check_log_salvage_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_salvage_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_hint_builder
check_log_hint_builder_SOURCES = %D%/check_log_hint_builder.c %D%/test_log.c %D%/test_log.h
check_log_hint_builder_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_hint_builder_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_keys_refs
check_log_keys_refs_SOURCES = %D%/check_log_keys_refs.c
check_log_keys_refs_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_keys_refs_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_keys_sort
check_log_keys_sort_SOURCES = %D%/check_log_keys_sort.c %D%/keys_model.c %D%/keys_model.h
check_log_keys_sort_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_keys_sort_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_merged
check_log_merged_SOURCES = %D%/check_log_merged.c %D%/test_log.c %D%/test_log.h
check_log_merged_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_merged_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_unlisted
check_log_unlisted_SOURCES = %D%/check_log_unlisted.c %D%/test_log.c %D%/test_log.h
check_log_unlisted_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_unlisted_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
check_PROGRAMS += check_log_hinter
# On the bed of recovery: its hints are what recovery reads.
check_log_hinter_SOURCES = %D%/check_log_hinter.c tests/recover/recover_bed.c tests/recover/recover_bed.h
check_log_hinter_CFLAGS = $(check_recover_CFLAGS) -I$(top_srcdir)/tests/recover
check_log_hinter_LDADD = $(check_recover_LDADD)
