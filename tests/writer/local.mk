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
