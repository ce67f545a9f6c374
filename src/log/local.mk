# log: what only the master does to files: append, roll over, sync, hints, salvage
noinst_LIBRARIES += librk_log.a
librk_log_a_SOURCES = \
	%D%/log_active.c %D%/log_active.h \
	%D%/log_batch.c %D%/log_batch.h \
	%D%/log_hint_builder.c %D%/log_hint_builder.h \
	%D%/log_hint_make.c %D%/log_hint_make.h \
	%D%/log_hinter.c %D%/log_hinter.h \
	%D%/log_keys_refs.c %D%/log_keys_refs.h \
	%D%/log_keys_run.c %D%/log_keys_run.h \
	%D%/log_keys_sort.c %D%/log_keys_sort.h \
	%D%/log_keys_tree.c %D%/log_keys_tree.h \
	%D%/log_lock.c %D%/log_lock.h \
	%D%/log_merged.c %D%/log_merged.h \
	%D%/log_names.c %D%/log_names.h \
	%D%/log_quarantine.c %D%/log_quarantine.h \
	%D%/log_repair.c %D%/log_repair.h \
	%D%/log_salvage.c %D%/log_salvage.h \
	%D%/log_salvage_files.c %D%/log_salvage_files.h \
	%D%/log_spare.c %D%/log_spare.h \
	%D%/log_store.c %D%/log_store.h \
	%D%/log_store_change.h \
	%D%/log_store_list.c \
	%D%/log_store_private.h \
	%D%/log_syncer.c %D%/log_syncer.h \
	%D%/log_unlisted.c %D%/log_unlisted.h \
	%D%/log_watch.c %D%/log_watch.h \
	%D%/log_writer.c %D%/log_writer.h \
	%D%/log_writer_files.c %D%/log_writer_files.h \
	%D%/log_writer_state.c %D%/log_writer_state.h
librk_log_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
# This room and those below it: what its tests link, and so the proof that it needs no other.
RK_LOG_LIBS = librk_log.a $(RK_DISK_LIBS)
