# tests of src/base
check_PROGRAMS += check_base
check_base_SOURCES = %D%/check_base.c
check_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_base_LDADD = librk_test.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)

check_PROGRAMS += check_base_machine
check_base_machine_SOURCES = %D%/check_base_machine.c
check_base_machine_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_base_machine_LDADD = librk_test.a librk_base.a $(CHECK_LIBS)

BASE_BED = %D%/base_bed.c %D%/base_bed.h
check_PROGRAMS += check_base_output check_base_pid_file check_base_unix
check_base_output_SOURCES = %D%/check_base_output.c $(BASE_BED)
check_base_output_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support -I$(top_srcdir)/tests/base
check_base_output_LDADD = librk_test.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)
check_base_pid_file_SOURCES = %D%/check_base_pid_file.c $(BASE_BED)
check_base_pid_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support -I$(top_srcdir)/tests/base
check_base_pid_file_LDADD = librk_test.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)
check_base_unix_SOURCES = %D%/check_base_unix.c $(BASE_BED)
check_base_unix_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support -I$(top_srcdir)/tests/base
check_base_unix_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=bind
check_base_unix_LDADD = librk_test.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)
