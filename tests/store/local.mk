# tests of src/store
check_PROGRAMS += check_store_recover
check_store_recover_SOURCES = %D%/check_store_recover.c %D%/recover_bed.c %D%/recover_bed.h
check_store_recover_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_recover_LDADD = librk_test.a librk_store_writer.a librk_log_writer.a librk_log.a librk_keydir_writer.a \
	librk_keydir.a librk_grace_writer.a librk_grace.a librk_base.a $(CHECK_LIBS) $(SODIUM_LIBS) $(ISAL_LIBS)
check_PROGRAMS += check_store_recover_plan
check_store_recover_plan_SOURCES = %D%/check_store_recover_plan.c %D%/recover_bed.c %D%/recover_bed.h
check_store_recover_plan_CFLAGS = $(check_store_recover_CFLAGS)
check_store_recover_plan_LDADD = $(check_store_recover_LDADD)
check_PROGRAMS += check_store_recover_model
check_store_recover_model_SOURCES = %D%/check_store_recover_model.c
check_store_recover_model_CFLAGS = $(check_store_recover_CFLAGS)
check_store_recover_model_LDADD = $(check_store_recover_LDADD)
check_PROGRAMS += check_store_batch
check_store_batch_SOURCES = %D%/check_store_batch.c
check_store_batch_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_batch_LDADD = librk_test.a librk_store_writer.a librk_log_writer.a librk_log.a librk_keydir_writer.a \
	librk_keydir.a librk_grace_writer.a librk_grace.a librk_base.a \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_store_hint
check_store_hint_SOURCES = %D%/check_store_hint.c %D%/recover_bed.c %D%/recover_bed.h
check_store_hint_CFLAGS = $(check_store_recover_CFLAGS)
check_store_hint_LDADD = $(check_store_recover_LDADD)
# One thread, thousands of stores: nothing for the thread sanitizer.
if !TSAN
check_PROGRAMS += check_store_faults
endif
check_store_faults_SOURCES = %D%/check_store_faults.c
check_store_faults_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray -Wl,--wrap=posix_memalign
check_store_faults_LDADD = librk_test.a librk_store_writer.a librk_log_writer.a librk_log.a librk_keydir_writer.a \
	librk_keydir.a librk_grace_writer.a librk_grace.a librk_base.a \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_store_client
check_store_client_SOURCES = %D%/check_store_client.c
check_store_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_client_LDADD = librk_test.a librk_store.a librk_keydir_writer.a librk_keydir.a librk_log_writer.a librk_log.a \
	librk_ring.a librk_grace_writer.a librk_grace.a librk_shm.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_store_calls
check_store_calls_SOURCES = %D%/check_store_calls.c
check_store_calls_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_calls_LDADD = librk_test.a librk_store_writer.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_store_kept
check_store_kept_SOURCES = %D%/check_store_kept.c
check_store_kept_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_kept_LDADD = librk_test.a librk_store_writer.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_store_space
check_store_space_SOURCES = %D%/check_store_space.c
check_store_space_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_space_LDADD = librk_test.a librk_store_writer.a librk_log.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS)
check_PROGRAMS += check_store_clock
check_store_clock_SOURCES = %D%/check_store_clock.c
check_store_clock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_clock_LDADD = librk_test.a librk_store_writer.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_store_policy
check_store_policy_SOURCES = %D%/check_store_policy.c
check_store_policy_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_policy_LDADD = librk_test.a librk_store_writer.a librk_base.a $(CHECK_LIBS)
check_PROGRAMS += check_store_merge
check_store_merge_SOURCES = %D%/check_store_merge.c %D%/merge_model.c %D%/merge_model.h
check_store_merge_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_merge_LDADD = librk_test.a librk_store_writer.a librk_log_writer.a librk_log.a librk_keydir_writer.a \
	librk_keydir.a librk_grace_writer.a librk_grace.a librk_base.a \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check_PROGRAMS += check_store_expire
check_store_expire_SOURCES = %D%/check_store_expire.c %D%/merge_model.c %D%/merge_model.h
check_store_expire_CFLAGS = $(check_store_merge_CFLAGS)
check_store_expire_LDADD = $(check_store_merge_LDADD)
check_PROGRAMS += check_store_merge_hint
check_store_merge_hint_SOURCES = %D%/check_store_merge_hint.c %D%/merge_model.c %D%/merge_model.h
check_store_merge_hint_CFLAGS = $(check_store_merge_CFLAGS)
check_store_merge_hint_LDADD = $(check_store_merge_LDADD)
check_PROGRAMS += check_store_compactor
check_store_compactor_SOURCES = %D%/check_store_compactor.c
check_store_compactor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_compactor_LDADD = librk_test.a librk_store_writer.a librk_log_writer.a librk_log.a librk_keydir_writer.a \
	librk_keydir.a librk_grace_writer.a librk_grace.a librk_ring.a librk_shm.a librk_base.a \
	$(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS) $(URCU_LIBS)
check-long: check-long-merge
check-long-merge: check_store_merge$(EXEEXT)
	RK_MERGE_OPS=1000000 ./check_store_merge$(EXEEXT)
check_PROGRAMS += check_store_files
check_store_files_SOURCES = %D%/check_store_files.c
check_store_files_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/tests/support
check_store_files_LDADD = librk_test.a librk_store.a librk_log.a librk_base.a $(CHECK_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS)
