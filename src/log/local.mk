# log: records, data files, the store's directory. Workers link the first library only; the second needs both, and
# $(SODIUM_LIBS) $(ISAL_LIBS).
noinst_LIBRARIES += librk_log.a librk_log_writer.a
librk_log_a_SOURCES = \
	%D%/log_file.c %D%/log_file.h \
	%D%/log_location.c %D%/log_location.h \
	%D%/log_record.c %D%/log_record.h \
	%D%/log_secret.c %D%/log_secret.h
librk_log_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)

librk_log_writer_a_SOURCES = \
	%D%/log_active.c %D%/log_active.h \
	%D%/log_batch.c %D%/log_batch.h \
	%D%/log_hint.c %D%/log_hint.h %D%/log_hint_builder.c %D%/log_hint_builder.h %D%/log_hint_make.c \
	%D%/log_hole.c %D%/log_hole.h \
	%D%/log_identity.c %D%/log_identity.h \
	%D%/log_lock.c %D%/log_lock.h \
	%D%/log_manifest.c %D%/log_manifest.h \
	%D%/log_merged.c %D%/log_merged.h \
	%D%/log_names.c %D%/log_names.h \
	%D%/log_quarantine.c %D%/log_quarantine.h \
	%D%/log_repair.c %D%/log_repair.h \
	%D%/log_salvage.c %D%/log_salvage.h %D%/log_salvage_files.c %D%/log_salvage_files.h \
	%D%/log_scan.c %D%/log_scan.h \
	%D%/log_small_file.c %D%/log_small_file.h \
	%D%/log_store.c %D%/log_store.h %D%/log_store_list.c %D%/log_store_private.h %D%/log_store_writer.h \
	%D%/log_syncer.c %D%/log_syncer.h \
	%D%/log_unlisted.c %D%/log_unlisted.h \
	%D%/log_watch.c %D%/log_watch.h \
	%D%/log_window.c %D%/log_window.h \
	%D%/log_writer.c %D%/log_writer.h %D%/log_writer_files.c %D%/log_writer_private.h
librk_log_writer_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
