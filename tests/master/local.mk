# tests of src/master
check_PROGRAMS += check_master_settle
check_master_settle_SOURCES = %D%/check_master_settle.c
check_master_settle_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_settle_LDADD = librk_test.a librk_master.a librk_disk.a librk_ring.a librk_conf.a librk_base.a \
	$(CHECK_LIBS) $(YAML_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS)
check_PROGRAMS += check_master_listeners
check_master_listeners_SOURCES = %D%/check_master_listeners.c
check_master_listeners_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_master_listeners_LDADD = librk_test.a librk_master.a librk_base.a $(CHECK_LIBS)
