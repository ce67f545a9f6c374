# tests of src/disk
check_PROGRAMS += check_disk_location
check_PROGRAMS += check_disk_record
check_disk_location_SOURCES = %D%/check_disk_location.c
check_disk_location_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_disk_location_LDADD = librk_test.a $(RK_DISK_LIBS) $(CHECK_LIBS) $(ISAL_LIBS)
check_disk_record_SOURCES = %D%/check_disk_record.c
check_disk_record_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_disk_record_LDADD = librk_test.a $(RK_DISK_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
check_PROGRAMS += check_disk_scan
check_disk_scan_SOURCES = %D%/check_disk_scan.c tests/log/test_log.c tests/log/test_log.h
check_disk_scan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support -I$(top_srcdir)/tests/log
# What it reads is written by log.
check_disk_scan_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
check_PROGRAMS += check_disk_keys
check_disk_keys_SOURCES = %D%/check_disk_keys.c tests/log/keys_model.c tests/log/keys_model.h
check_disk_keys_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support -I$(top_srcdir)/tests/log
# What it reads is written by log.
check_disk_keys_LDADD = librk_test.a $(RK_LOG_LIBS) $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
