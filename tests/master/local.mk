# tests of src/master
check_PROGRAMS += check_master_settle
check_master_settle_SOURCES = %D%/check_master_settle.c
check_master_settle_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_settle_LDADD = librk_test.a librk_master.a librk_shm.a librk_disk.a librk_ring.a librk_conf.a librk_base.a \
	$(CHECK_LIBS) $(YAML_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS)
check_PROGRAMS += check_master_listeners
check_master_listeners_SOURCES = %D%/check_master_listeners.c
check_master_listeners_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_listeners_LDADD = librk_test.a librk_master.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_master_workers
check_master_workers_SOURCES = %D%/check_master_workers.c %D%/workers_bed.c %D%/workers_bed.h
check_master_workers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_workers_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=kill -Wl,--wrap=socketpair -Wl,--wrap=rk_time_monotonic_ns \
	-Wl,--wrap=rk_diag
check_master_workers_LDADD = librk_test.a librk_master.a librk_shm.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_master_watch
check_master_watch_SOURCES = %D%/check_master_watch.c %D%/workers_bed.c %D%/workers_bed.h
check_master_watch_CFLAGS = $(check_master_workers_CFLAGS)
check_master_watch_LDFLAGS = $(check_master_workers_LDFLAGS)
check_master_watch_LDADD = $(check_master_workers_LDADD)
check_PROGRAMS += check_master_respawn
check_master_respawn_SOURCES = %D%/check_master_respawn.c %D%/workers_bed.c %D%/workers_bed.h
check_master_respawn_CFLAGS = $(check_master_workers_CFLAGS)
check_master_respawn_LDFLAGS = $(check_master_workers_LDFLAGS)
check_master_respawn_LDADD = $(check_master_workers_LDADD)
check_PROGRAMS += check_master_single
check_master_single_SOURCES = %D%/check_master_single.c
check_master_single_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_single_LDADD = librk_test.a librk_master.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_master_recovery
check_master_recovery_SOURCES = %D%/check_master_recovery.c %D%/start_bed.c %D%/start_bed.h
check_master_recovery_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_recovery_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rk_recover_store -Wl,--wrap=rk_diag \
	-Wl,--wrap=rk_time_monotonic_ns
check_master_recovery_LDADD = librk_test.a librk_master.a librk_recover.a $(RK_COMPACTOR_LIBS) librk_conf.a librk_base.a $(CHECK_LIBS) $(YAML_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_master_late
check_master_late_SOURCES = %D%/check_master_late.c
check_master_late_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_late_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rk_diag -Wl,--wrap=rk_time_monotonic_ns
check_master_late_LDADD = librk_test.a librk_master.a librk_base.a $(CHECK_LIBS)
