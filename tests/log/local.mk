# tests of src/log
check_PROGRAMS += check_log_location check_log_record

check_log_location_SOURCES = %D%/check_log_location.c
check_log_location_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_location_LDADD = librk_test.a librk_log.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)

check_log_record_SOURCES = %D%/check_log_record.c
check_log_record_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_record_LDADD = librk_test.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_store check_log_writer

check_log_store_SOURCES = %D%/check_log_store.c %D%/test_log.c %D%/test_log.h
check_log_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_store_LDADD = librk_test.a librk_log_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_log_writer_SOURCES = %D%/check_log_writer.c %D%/test_log.c %D%/test_log.h
check_log_writer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_writer_LDADD = librk_test.a librk_log_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_salvage
check_log_salvage_SOURCES = %D%/check_log_salvage.c %D%/test_log.c %D%/test_log.h
check_log_salvage_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_salvage_LDADD = librk_test.a librk_log_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_scan
check_log_scan_SOURCES = %D%/check_log_scan.c %D%/test_log.c %D%/test_log.h
check_log_scan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_scan_LDADD = librk_test.a librk_log_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_hint_builder
check_log_hint_builder_SOURCES = %D%/check_log_hint_builder.c %D%/test_log.c %D%/test_log.h
check_log_hint_builder_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_hint_builder_LDADD = librk_test.a librk_log_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_merged
check_log_merged_SOURCES = %D%/check_log_merged.c %D%/test_log.c %D%/test_log.h
check_log_merged_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_merged_LDADD = librk_test.a librk_log_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_log_unlisted
check_log_unlisted_SOURCES = %D%/check_log_unlisted.c %D%/test_log.c %D%/test_log.h
check_log_unlisted_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_unlisted_LDADD = librk_test.a librk_log_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
