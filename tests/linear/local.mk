# the checker of histories
LINEAR_SUPPORT = %D%/linear_absent.c %D%/linear_check.c %D%/linear_check.h %D%/linear_found.c %D%/linear_private.h \
	%D%/linear_zones.c
check_PROGRAMS += check_linear check_linear_count
check_linear_SOURCES = %D%/check_linear.c $(LINEAR_SUPPORT)
check_linear_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_linear_LDADD = librk_test.a $(CHECK_LIBS)
check_linear_count_SOURCES = %D%/check_linear_count.c %D%/linear_count.c %D%/linear_count.h
check_linear_count_CFLAGS = $(check_linear_CFLAGS)
check_linear_count_LDADD = $(check_linear_LDADD)

# Load on real servers, recorded and checked. `make check-long` takes the figures of a long run.
if !TSAN
check_PROGRAMS += check_linear_faults check_linear_server check_linear_stopped
endif
LINEAR_BED = $(LINEAR_SUPPORT) %D%/linear_client.c %D%/linear_client.h %D%/linear_count.c %D%/linear_count.h \
	%D%/linear_bed.c %D%/linear_bed.h %D%/linear_board.c %D%/linear_board.h \
	%D%/linear_driver.c %D%/linear_driver.h %D%/linear_probe.c %D%/linear_probe.h \
	%D%/linear_value.c %D%/linear_value.h $(SYSTEM_SUPPORT)
check_linear_faults_SOURCES = %D%/check_linear_faults.c $(LINEAR_BED) $(SYSTEM_DISK) $(SYSTEM_TRACER)
check_linear_faults_CFLAGS = $(SYSTEM_CFLAGS)
check_linear_faults_LDADD = librk_shm.a librk_base.a $(SYSTEM_LDADD)
check_linear_server_SOURCES = %D%/check_linear_server.c $(LINEAR_BED)
check_linear_server_CFLAGS = $(SYSTEM_CFLAGS)
check_linear_server_LDADD = librk_shm.a librk_base.a $(SYSTEM_LDADD)
check_linear_stopped_SOURCES = %D%/check_linear_stopped.c $(LINEAR_BED) $(SYSTEM_TRACER)
check_linear_stopped_CFLAGS = $(SYSTEM_CFLAGS)
check_linear_stopped_LDADD = librk_shm.a librk_base.a $(SYSTEM_LDADD)

check-long: check-long-linear
check-long-linear: check_linear_faults$(EXEEXT) check_linear_server$(EXEEXT) check_linear_stopped$(EXEEXT) rackkvd$(EXEEXT)
	RK_LONG=1 ./check_linear_faults$(EXEEXT)
	RK_LONG=1 ./check_linear_server$(EXEEXT)
	RK_LONG=1 ./check_linear_stopped$(EXEEXT)
