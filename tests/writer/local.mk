# tests of src/writer
check_PROGRAMS += check_writer_batch
check_writer_batch_SOURCES = %D%/check_writer_batch.c
check_writer_batch_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_writer_batch_LDADD = librk_test.a $(RK_WRITER_LIBS) \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_writer_calls
check_writer_calls_SOURCES = %D%/check_writer_calls.c
check_writer_calls_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_writer_calls_LDADD = librk_test.a $(RK_WRITER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += check_writer_pending
check_writer_pending_SOURCES = %D%/check_writer_pending.c
check_writer_pending_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_writer_pending_LDADD = librk_test.a $(RK_WRITER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += check_writer
check_writer_SOURCES = %D%/check_writer.c %D%/list_source.c %D%/list_source.h
check_writer_CFLAGS = $(check_writer_batch_CFLAGS)
check_writer_LDADD = $(check_writer_batch_LDADD)
check_PROGRAMS += check_writer_update
check_writer_update_SOURCES = %D%/check_writer_update.c %D%/clients_bed.c %D%/clients_bed.h
check_writer_update_CFLAGS = $(check_writer_batch_CFLAGS)
check_writer_update_LDADD = librk_test.a librk_store.a $(check_writer_batch_LDADD)
