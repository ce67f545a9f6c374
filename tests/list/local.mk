# tests of src/list
check_PROGRAMS += check_list_order
check_list_order_SOURCES = %D%/check_list_order.c
check_list_order_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_list_order_LDADD = librk_test.a $(RK_LIST_LIBS) $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_list_model
check_list_model_SOURCES = %D%/check_list_model.c tests/merge/merge_model.c tests/merge/merge_model.h
check_list_model_CFLAGS = $(check_list_order_CFLAGS)
check_list_model_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rk_time_wall_ms
# The model writes, merges and recovers as the master does.
check_list_model_LDADD = librk_test.a librk_list.a librk_merge.a librk_expire.a librk_recover.a $(RK_WRITER_LIBS) \
	librk_shm.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_list_lister
check_list_lister_SOURCES = %D%/check_list_lister.c tests/log/test_log.c tests/log/test_log.h
check_list_lister_CFLAGS = $(check_list_order_CFLAGS)
check_list_lister_LDADD = librk_test.a librk_list.a librk_keydir_writer.a librk_keydir.a $(RK_LOG_LIBS) librk_grace_writer.a \
	librk_grace.a librk_shm.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
