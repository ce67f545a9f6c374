# tests of src/store
check_PROGRAMS += check_store_client
check_store_client_SOURCES = %D%/check_store_client.c
check_store_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_client_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rk_time_monotonic_ns
check_store_client_LDADD = librk_test.a librk_store.a librk_keydir_writer.a librk_keydir.a librk_log.a librk_disk.a \
	librk_ring.a librk_grace_writer.a librk_grace.a librk_shm.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_store_files
check_store_files_SOURCES = %D%/check_store_files.c
check_store_files_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_files_LDADD = librk_test.a librk_store.a librk_disk.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS)
check_PROGRAMS += check_store_readers
check_store_readers_SOURCES = %D%/check_store_readers.c
check_store_readers_CFLAGS = $(check_store_files_CFLAGS)
check_store_readers_LDADD = librk_test.a librk_store.a librk_shm.a librk_base.a $(CHECK_LIBS)
