# tests of src/log
check_PROGRAMS += check_log_location check_log_record

check_log_location_SOURCES = %D%/check_log_location.c
check_log_location_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_location_LDADD = librk_test.a librk_log.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)

check_log_record_SOURCES = %D%/check_log_record.c
check_log_record_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_log_record_LDADD = librk_test.a librk_log.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)
